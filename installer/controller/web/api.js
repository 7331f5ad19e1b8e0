// SPDX-License-Identifier: MIT
// Calls of the API. What goes wrong is a Problem, whose message is the operator's sentence.

const BASE = '/api/v1';
const TRIES = 4;

/** Why a call failed: `status` (0: no answer), `code` of the API, `problems`: all of them where there are several. */
export class Problem extends Error {
    constructor(status, body) {
        super(body.detail || body.title || `the server answered ${status}`);
        this.status = status;
        this.code = body.code ?? '';
        this.problems = body.problems ?? [];
        this.retryAfter = body.retryAfter ?? 0;
    }
}

let loggedOut = () => {};

/** `f` is called when the server says that nobody is logged in. */
export function onLoggedOut(f) {
    loggedOut = f;
}

function pause(ms) {
    return new Promise((resolve) => {
        setTimeout(resolve, ms);
    });
}

/** One call: {data, etag, status, location}. Options: body, match (If-Match), none (If-None-Match), signal. A GET that
 * is told to come again (503, 429) does. */
export async function call(method, path, options = {}) {
    for (let tries = 1; ; tries++) {
        try {
            return await once(method, path, options);
        } catch (problem) {
            const again = method === 'GET' && (problem.status === 503 || problem.status === 429) && tries < TRIES;

            if (problem.status === 401 && path !== '/login') loggedOut();
            if (!again) throw problem;
            await pause(Math.max(1000, problem.retryAfter * 1000));
        }
    }
}

async function once(method, path, { body, match, none, signal }) {
    const headers = { Accept: 'application/json' };
    let reply;

    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (match) headers['If-Match'] = match;
    if (none) headers['If-None-Match'] = none;
    try {
        reply = await fetch(BASE + path, {
            method,
            headers,
            signal,
            cache: 'no-store',
            body: body === undefined ? undefined : JSON.stringify(body),
        });
    } catch (error) {
        if (error.name === 'AbortError') throw error;
        throw new Problem(0, { detail: 'The server does not answer.', code: 'net' });
    }
    return answer(reply);
}

async function answer(reply) {
    const text = await reply.text();
    let data = null;

    try {
        data = text ? JSON.parse(text) : null;
    } catch {
        data = null; // a proxy's page
    }
    if (!reply.ok && reply.status !== 304) {
        throw new Problem(reply.status, { ...data, retryAfter: Number(reply.headers.get('Retry-After')) || 0 });
    }
    return { data, etag: reply.headers.get('ETag'), status: reply.status, location: reply.headers.get('Location') };
}

/** The address of something to download. */
export function url(path) {
    return BASE + path;
}

export const get = (path, options) => call('GET', path, options);
export const post = (path, body = {}, options = {}) => call('POST', path, { ...options, body });
export const remove = (path, options) => call('DELETE', path, options);
