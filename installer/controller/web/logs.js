// SPDX-License-Identifier: MIT
// Live logs of one instance, of several, of a component, of all. What is chosen, filtered and wrapped stays in the
// address. A tab that nobody sees holds no connection: it goes on from its last line when it is looked at.
import { Problem, url } from './api.js';
import { announce, button, h, labelled } from './dom.js';
import { count } from './format.js';
import { Ring, plain, tester } from './ring.js';
import { keep } from './route.js';
import { Screen } from './screen.js';

const HELD = 100000;
const EARLY_MS = 300;
const SINCE = [
    ['', 'the last 500 lines'],
    ['10min', '10 minutes'],
    ['1h', 'an hour'],
    ['1d', 'a day'],
    ['all', 'everything'],
];

function parameters(names, components) {
    const query = new URLSearchParams();

    for (const name of names) query.append(components.has(name) ? 'component' : 'instance', name);
    return query;
}

class Log {
    constructor(page, names) {
        this.page = page;
        this.names = names;
        this.ring = new Ring(HELD);
        this.screen = new Screen(this.ring, () => page.draw());
        this.screen.names = true;
        this.screen.resized = () => this.arrange();
        this.early = null; // what comes before they are sorted
        this.newest = new Map(); // instance and stream -> time
        this.times = new Set(); // instance and time of the lines that are held
        this.ring.gone = (line) => this.times.delete(`${line.instance} ${line.time}`);
        this.waiting = null; // lines that came while it was paused
        this.status = 'begins';
        this.last = '';
        this.retry = 500;
        this.since = page.query.get('since') ?? '';
        this.filter = page.query.get('filter') ?? '';
        this.search = '';
        this.wrap = page.query.get('wrap') !== '0';
        this.screen.times = page.query.get('times') === '1';
        this.seen = () => (document.hidden ? this.stop() : this.begin());
        document.addEventListener('visibilitychange', this.seen);
        page.onClose(() => this.close());
    }

    close() {
        this.closed = true;
        this.stop();
        this.screen.close();
        document.removeEventListener('visibilitychange', this.seen);
    }

    stop() {
        this.reading?.abort();
        this.reading = null;
        clearTimeout(this.timer);
        clearTimeout(this.sorting);
    }

    components() {
        return new Set((this.page.use('/components').data?.items ?? []).map((one) => one.component));
    }

    query(more) {
        const query = parameters(this.names, this.components());

        for (const [name, value] of Object.entries(more)) query.set(name, value);
        return url(`/logs?${query}`);
    }

    /* From the beginning that was chosen, or from the last line that is held. */
    from() {
        if (this.last) return { follow: true, since: this.last };
        if (this.since === 'all') return { follow: true };
        return this.since ? { follow: true, since: this.since } : { follow: true, tail: 500 };
    }

    again() {
        this.stop();
        this.last = '';
        this.newest.clear();
        this.times.clear();
        this.ring.clear();
        this.early = null;
        this.waiting = null;
        this.begin();
    }

    async begin() {
        if (this.reading || this.closed || document.hidden) return;
        const reading = new AbortController();

        this.reading = reading;
        try {
            await this.read(reading.signal);
            this.say('ended; trying again');
        } catch (error) {
            if (reading.signal.aborted) return;
            this.say(error instanceof Problem ? error.message : 'the server does not answer; trying again');
        }
        if (this.reading === reading) this.reading = null;
        this.timer = setTimeout(() => this.begin(), this.retry);
        this.retry = Math.min(this.retry * 2, 10000);
    }

    say(status) {
        this.status = status;
        this.page.draw();
    }

    async read(signal) {
        const reply = await fetch(this.query(this.from()), { signal, cache: 'no-store' });

        if (!reply.ok) {
            const body = await reply.json().catch(() => ({}));

            throw new Problem(reply.status, body);
        }
        this.say('live');
        this.sortEarly();
        const reader = reply.body.getReader();
        const decoder = new TextDecoder();
        const edge = this.last;
        let rest = '';

        for (;;) {
            const { done, value } = await reader.read();

            if (done) return;
            this.retry = 500;
            const lines = (rest + decoder.decode(value, { stream: true })).split('\n');

            rest = lines.pop();
            this.take(lines, edge);
        }
    }

    /* Lines that were held before a reconnection come once more: those up to `edge` are known. */
    take(lines, edge) {
        let came = 0;

        for (const text of lines) {
            if (text === '') continue; // a sign of life
            const line = parse(text);

            if (line.end) continue;
            if (line.error) this.note(line.error);
            else if (!edge || line.time > edge) {
                if (this.isKnown(line)) continue;
                if (line.time > this.last) this.last = line.time;
                this.add({ instance: line.instance, stream: line.stream, time: line.time, text: plain(line.text) });
            }
            came++;
        }
        if (!came) return;
        this.screen.draw();
        this.page.draw();
    }

    /* When a log is rotated under a slow reader, Docker sends what it had sent once more. */
    isKnown({ instance, stream, time }) {
        const key = `${instance} ${time}`;
        const from = `${instance} ${stream}`;
        const newest = this.newest.get(from) ?? '';

        if (time < newest && this.times.has(key)) return true;
        if (time > newest) this.newest.set(from, time);
        this.times.add(key);
        return false;
    }

    /* What several printed before comes one after the other: it is put in the order of time. */
    sortEarly() {
        this.early ??= [];
        clearTimeout(this.sorting);
        this.sorting = setTimeout(() => {
            const lines = (this.early ?? []).sort((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time)));

            this.early = null;
            for (const line of lines) this.add(line);
            this.screen.draw();
            this.page.draw();
        }, EARLY_MS);
    }

    note(text) {
        this.add({ instance: '', stream: 2, time: this.last, text: `slipway: ${text}`, note: true });
    }

    add(line) {
        line.width = line.text.length;
        if (this.early) this.early.push(line);
        else if (!this.waiting) this.ring.add(line);
        else if (this.waiting.push(line) > HELD) this.waiting.splice(0, 1000);
    }

    pause(on) {
        if (on === Boolean(this.waiting)) return;
        for (const line of this.waiting ?? []) if (!on) this.ring.add(line);
        this.waiting = on ? [] : null;
        this.screen.draw();
        this.page.draw();
    }

    /* What is typed as filter or search; a bad expression is said and lets everything through. */
    tester(typed) {
        this.bad = '';
        try {
            return tester(typed);
        } catch (error) {
            this.bad = `No expression: ${error.message}`;
            return null;
        }
    }

    arrange() {
        const test = this.tester(this.filter);

        this.screen.node.classList.toggle('wrap', this.wrap);
        this.ring.arrange(
            test && ((line) => line.note || test(line.text) || test(line.instance)),
            this.wrap ? this.screen.columns() : 0,
        );
        this.screen.draw();
    }

    set(values) {
        Object.assign(this, values);
        this.arrange();
        keep({
            filter: this.filter,
            since: this.since,
            wrap: this.wrap ? '' : '0',
            times: this.screen.times ? '1' : '',
        });
        this.page.draw();
    }

    find(back) {
        const test = this.tester(this.search);

        if (!test) return;
        const index = this.ring.find(this.screen.hit < 0 ? (back ? Infinity : 0) : this.screen.hit, back, (l) =>
            test(l.text),
        );

        if (index < 0) {
            announce('Nothing is found.');
            this.found = 'nothing is found';
        } else {
            this.screen.hit = this.ring.shown[index].seq;
            this.found = '';
            this.screen.to(index);
        }
        this.page.draw();
    }

    marks() {
        const typed = this.search;
        const expression = /^\/(.+)\/$/.exec(typed);

        try {
            this.screen.marks =
                typed === ''
                    ? null
                    : new RegExp(expression ? expression[1] : typed.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gi');
        } catch {
            this.screen.marks = null;
        }
        this.screen.hit = -1;
        this.screen.draw();
    }
}

function parse(text) {
    try {
        return JSON.parse(text);
    } catch {
        return { error: `a line that is none: ${text.slice(0, 200)}` };
    }
}

/* ---- what is around it ---- */

function bar(log) {
    const { ring, screen } = log;
    const toggle = (name, pressed, click) => button(name, click, { 'aria-pressed': String(pressed) });

    return h(
        'div',
        { class: 'bar', key: 'log-bar' },
        labelled(
            'Filter',
            h('input', {
                type: 'search',
                value: log.filter,
                id: 'log-filter',
                spellcheck: 'false',
                placeholder: 'words or /expression/',
                on: { input: (event) => log.set({ filter: event.currentTarget.value }) },
            }),
        ),
        h(
            'form',
            {
                class: 'search',
                key: 'search',
                on: {
                    submit: (event) => {
                        event.preventDefault();
                        log.find(false);
                    },
                },
            },
            labelled(
                'Search',
                h('input', {
                    type: 'search',
                    value: '',
                    id: 'log-search',
                    spellcheck: 'false',
                    on: {
                        input: (event) => {
                            log.search = event.currentTarget.value;
                            log.marks();
                            log.page.draw();
                        },
                    },
                }),
            ),
            h('button', { type: 'submit' }, 'Next'),
            button('Previous', () => log.find(true)),
        ),
        labelled(
            'Since',
            h(
                'select',
                {
                    value: log.since,
                    id: 'log-since',
                    on: {
                        change: (event) => {
                            log.set({ since: event.currentTarget.value });
                            log.again();
                        },
                    },
                },
                SINCE.map(([value, title]) => h('option', { value }, title)),
            ),
        ),
        h(
            'span',
            { class: 'buttons' },
            toggle('Pause', Boolean(log.waiting), () => log.pause(!log.waiting)),
            toggle('Wrap', log.wrap, () => log.set({ wrap: !log.wrap })),
            toggle('Times', screen.times, () => {
                screen.times = !screen.times;
                log.set({});
            }),
            button('To the end', () => screen.end(), { disabled: screen.pinned }),
            h('a', { class: 'button', href: log.query({ format: 'text' }), download: '' }, 'Download everything'),
        ),
        h(
            'p',
            { class: 'help status', key: 'status' },
            `${log.status}; ${count(ring.shown.length, 'line')}`,
            log.filter ? ` of ${ring.lines.length}` : '',
            ring.dropped ? `, the newest ${HELD}` : '',
            log.waiting ? `; paused, ${count(log.waiting.length, 'new line')}` : '',
            log.bad ? `; ${log.bad}` : '',
            log.found ? `; ${log.found}` : '',
        ),
    );
}

/** The log of instances and components; of all when there are no names. */
export function logOf(page, names) {
    if (!page.use('/components').data) return h('p', { class: 'loading' }, 'Loading.');
    if (!page.log || page.log.names.join() !== names.join()) {
        page.log?.close();
        page.log = new Log(page, names);
        page.log.arrange();
        page.log.begin();
    }
    const one = names.length === 1 && !page.log.components().has(names[0]);

    page.log.screen.names = !one;
    return [bar(page.log), page.log.screen.place()];
}

function choice(page, names) {
    const components = page.use('/components').data?.items ?? [];
    const instances = page.use('/instances').data?.items ?? [];
    const box = (name, title) =>
        h(
            'li',
            { key: name },
            h('input', {
                type: 'checkbox',
                id: `of-${name}`,
                checked: names.includes(name),
                on: {
                    change: (event) => {
                        const now = names.filter((one) => one !== name);

                        if (event.currentTarget.checked) now.push(name);
                        keep({ of: now.join(',') });
                        page.query.set('of', now.join(','));
                        page.draw();
                    },
                },
            }),
            h('label', { for: `of-${name}` }, title),
        );

    return h(
        'details',
        { key: 'choice' },
        h('summary', null, names.length ? `Of ${names.join(', ')}` : 'Of all instances'),
        h(
            'ul',
            { class: 'boxes' },
            components.map((one) => box(one.component, `all of ${one.component}`)),
            instances.map((one) => box(one.instance, one.instance)),
        ),
    );
}

export const logsView = {
    title: () => 'Logs',
    render(page) {
        const names = (page.query.get('of') ?? '').split(',').filter(Boolean);

        return [h('h1', { tabindex: -1 }, 'Logs'), choice(page, names), logOf(page, names)];
    },
};
