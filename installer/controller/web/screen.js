// SPDX-License-Identifier: MIT
// The log on the screen: of all lines only those are elements that can be seen.
import { h } from './dom.js';

let made = 0;

const PADDING = 14; // of a row, left and right
const OVER = 20; // rows above and below what is seen

export class Screen {
    constructor(ring, ended) {
        this.ring = ring;
        this.names = false; // whether the instance stands before each line
        this.times = false;
        this.hit = -1; // seq of the line that a search stopped at
        this.marks = null;
        this.pinned = true; // at the end, and stays there
        this.drawing = 0;
        this.ended = ended;
        ring.ahead = (line) => (this.names ? line.instance.length + 1 : 0) + (this.times ? 24 : 0);
        this.name = `log-${made++}`;
        this.space = h('div', { class: 'log-space' });
        this.slice = h('div', { class: 'log-slice' });
        this.probe = h('span', { class: 'log-probe', 'aria-hidden': 'true' }, '0'.repeat(100));
        this.node = h(
            'div',
            {
                class: 'log',
                role: 'log',
                'aria-live': 'off',
                'aria-label': 'Log',
                tabindex: 0,
                'data-keep': this.name,
                key: this.name,
                on: { scroll: () => this.scrolled() },
            },
            this.probe,
            this.space,
            this.slice,
        );
        this.sizes = new ResizeObserver(() => this.resized?.());
        this.sizes.observe(this.node);
    }

    /** What a view returns: the element itself moves only once, so that it stays where it was scrolled to. */
    place() {
        return this.node.isConnected ? h('div', { 'data-keep': this.name, key: this.name }) : this.node;
    }

    close() {
        this.sizes.disconnect();
    }

    scrolled() {
        const { scrollTop, scrollHeight, clientHeight } = this.node;
        const pinned = scrollHeight - scrollTop - clientHeight < 4;

        if (pinned !== this.pinned) {
            this.pinned = pinned;
            this.ended(pinned);
        }
        this.draw();
    }

    /** How many characters fit into a row. */
    columns() {
        const one = this.probe.getBoundingClientRect().width / 100;

        return Math.max(10, Math.floor((this.node.clientWidth - PADDING) / (one || 8)));
    }

    draw() {
        if (!this.drawing) this.drawing = requestAnimationFrame(() => this.drawNow());
    }

    drawNow() {
        const { ring, node } = this;
        const height = this.probe.getBoundingClientRect().height || 18;
        const all = ring.rows() * height;

        this.drawing = 0;
        this.space.style.height = `${all}px`;
        if (this.pinned) node.scrollTop = all;
        const first = ring.at(Math.max(0, Math.floor(node.scrollTop / height) - OVER));
        const last = ring.at(Math.ceil((node.scrollTop + node.clientHeight) / height) + OVER);

        this.slice.style.transform = `translateY(${ring.shown.length ? ring.topOf(first) * height : 0}px)`;
        this.slice.replaceChildren(...ring.shown.slice(first, last + 1).map((line) => this.line(line)));
    }

    line(line) {
        const kind = [line.stream === 2 ? 'err' : '', line.seq === this.hit ? 'hit' : '', line.note ? 'note' : ''];

        return h(
            'div',
            { class: `log-line ${kind.join(' ')}` },
            this.times ? h('span', { class: 'log-time' }, line.time.slice(0, 23).replace('T', ' '), ' ') : null,
            this.names ? h('span', { class: 'log-name' }, line.instance, ' ') : null,
            h('span', { class: 'log-text' }, this.marked(line.text)),
        );
    }

    /* The text with the words that are searched for marked. */
    marked(text) {
        if (!this.marks) return text;
        const out = [];
        let at = 0;

        for (const m of text.matchAll(this.marks)) {
            if (m[0] === '' || out.length > 400) break;
            out.push(text.slice(at, m.index), h('mark', null, m[0]));
            at = m.index + m[0].length;
        }
        return [...out, text.slice(at)];
    }

    /** Brings a shown line into sight. */
    to(index) {
        const height = this.probe.getBoundingClientRect().height || 18;

        this.pinned = false;
        this.ended(false);
        this.node.scrollTop = Math.max(0, this.ring.topOf(index) * height - this.node.clientHeight / 2);
        this.draw();
    }

    end() {
        this.pinned = true;
        this.ended(true);
        this.draw();
    }
}
