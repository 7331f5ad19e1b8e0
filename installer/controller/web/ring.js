// SPDX-License-Identifier: MIT
// The lines of a log that are held: a bounded number, those that a filter lets through, and where each begins when long
// ones take several rows. Adding is cheap whatever is held; nothing here knows of elements.

const DROP = 1000; // so many at once, so that arrays are not moved for every line
const LINE_MAX = 16384;

const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f]/g;

/** What of a line is shown: without escapes, with a sign for other controls, and not endless. */
export function plain(text) {
    const cut =
        text.length > LINE_MAX
            ? `${text.slice(0, LINE_MAX)} … (${text.length.toLocaleString('en')} characters; a download has them all)`
            : text;

    return cut
        .replace(ESCAPES, '')
        .replace(/\t/g, '    ')
        .replace(CONTROLS, (c) => String.fromCharCode(c === '\x7f' ? 0x2421 : 0x2400 + c.charCodeAt(0)));
}

export class Ring {
    constructor(max) {
        this.max = max;
        this.lines = []; // {seq, instance, time, stream, text}
        this.shown = []; // those that pass
        this.ends = []; // of each shown line: the rows up to and with it, counted from `before`
        this.before = 0;
        this.pass = null;
        this.columns = 0; // 0: a line is one row
        this.ahead = () => 0; // how many characters stand before the text of a line
        this.seq = 0;
        this.dropped = 0;
    }

    add(line) {
        line.seq = this.seq++;
        this.lines.push(line);
        if (!this.pass || this.pass(line)) this.show(line);
        if (this.lines.length >= this.max + DROP) this.drop();
    }

    show(line) {
        this.shown.push(line);
        this.ends.push((this.ends.at(-1) ?? this.before) + this.rowsOf(line));
    }

    rowsOf(line) {
        return this.columns ? Math.max(1, Math.ceil((line.width + this.ahead(line)) / this.columns)) : 1;
    }

    drop() {
        const first = this.lines[DROP].seq;
        let n = 0;

        for (const line of this.lines.splice(0, DROP)) this.gone?.(line);
        this.dropped += DROP;
        while (n < this.shown.length && this.shown[n].seq < first) n++;
        if (n) this.before = this.ends[n - 1];
        this.shown.splice(0, n);
        this.ends.splice(0, n);
    }

    /** Exchanges the filter (line -> bool, or null) and the columns, after which everything is counted again. */
    arrange(pass, columns) {
        this.pass = pass;
        this.columns = columns;
        this.shown = [];
        this.ends = [];
        this.before = 0;
        for (const line of this.lines) if (!pass || pass(line)) this.show(line);
    }

    clear() {
        Object.assign(this, { lines: [], shown: [], ends: [], before: 0, dropped: 0 });
    }

    /** How many rows there are. */
    rows() {
        return (this.ends.at(-1) ?? this.before) - this.before;
    }

    /** The first row of a shown line. */
    topOf(index) {
        return (index === 0 ? this.before : this.ends[index - 1]) - this.before;
    }

    /** The shown line that a row belongs to. */
    at(row) {
        let low = 0;
        let high = this.ends.length;

        while (low < high) {
            const middle = (low + high) >> 1;

            if (this.ends[middle] - this.before <= row) low = middle + 1;
            else high = middle;
        }
        return Math.min(low, Math.max(0, this.ends.length - 1));
    }

    /** The next shown line after `from` (a seq), or before it, that `finds`; -1 when there is none. Goes round. */
    find(from, back, finds) {
        const n = this.shown.length;
        let at = this.shown.findIndex((line) => line.seq >= from);

        if (at < 0) at = n;
        else if (!back && this.shown[at].seq === from) at++;
        for (let i = 0; i < n; i++) {
            const index = (((back ? at - 1 - i : at + i) % n) + n) % n;

            if (finds(this.shown[index])) return index;
        }
        return -1;
    }
}

/** A test of text from what somebody typed: words as they are, or /an expression/. null: nothing was typed. */
export function tester(typed) {
    const expression = /^\/(.+)\/$/.exec(typed);
    const words = typed.toLowerCase();

    if (typed === '') return null;
    if (!expression) return (text) => text.toLowerCase().includes(words);
    const made = new RegExp(expression[1], 'i');

    return (text) => made.test(text);
}
