// SPDX-License-Identifier: MIT
// Server-sent events read with fetch, because EventSource gives up for good on 401 and 503, and does not tell which.

/** Takes the bytes of a stream and calls back for each event: {id, type, data}. */
export class Parser {
    constructor(event) {
        this.event = event;
        this.rest = '';
        this.fields = { type: 'message', data: [] };
        this.id = '';
    }

    push(text) {
        const lines = (this.rest + text).split('\n');

        this.rest = lines.pop();
        for (const line of lines) this.line(line.endsWith('\r') ? line.slice(0, -1) : line);
    }

    line(line) {
        const colon = line.indexOf(':');
        const name = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));

        if (line === '') this.end();
        else if (name === 'data') this.fields.data.push(value);
        else if (name === 'event') this.fields.type = value;
        else if (name === 'id') this.id = value;
    }

    end() {
        const { type, data } = this.fields;

        this.fields = { type: 'message', data: [] };
        if (data.length) this.event({ id: this.id, type, data: data.join('\n') });
    }
}

const SILENCE_MS = 40000; // the server says something each 15 s

/** Reads the events of `url` until the end; `alive` is called whenever anything comes. A refusal is an error with
 * `status`; silence ends it. */
export async function read(url, { signal, lastId, opened, alive, event }) {
    const own = new AbortController();
    const stop = () => own.abort();
    const headers = { Accept: 'text/event-stream', ...(lastId ? { 'Last-Event-ID': lastId } : {}) };
    let silence;
    const heard = () => {
        clearTimeout(silence);
        silence = setTimeout(stop, SILENCE_MS);
    };

    signal?.addEventListener('abort', stop, { once: true });
    try {
        heard();
        const reply = await fetch(url, { headers, signal: own.signal, cache: 'no-store' });

        if (!reply.ok || !reply.body)
            throw Object.assign(new Error(`status ${reply.status}`), { status: reply.status });
        opened?.();
        await pump(reply.body, new Parser(event), () => {
            heard();
            alive?.();
        });
    } finally {
        clearTimeout(silence);
        signal?.removeEventListener('abort', stop);
        stop();
    }
}

async function pump(body, parser, alive) {
    const reader = body.getReader();
    const decoder = new TextDecoder();

    for (;;) {
        const { done, value } = await reader.read();

        if (done) return;
        alive();
        parser.push(decoder.decode(value, { stream: true }));
    }
}
