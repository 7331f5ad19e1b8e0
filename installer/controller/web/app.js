// SPDX-License-Identifier: MIT
// The page: who is logged in, where we are, and drawing it again when what it shows changes.
import { onLoggedOut, post, call } from './api.js';
import { announce, button, h, update } from './dom.js';
import { date, duration, time } from './format.js';
import { loginView } from './login.js';
import { noteTask, startNotices } from './notices.js';
import { here, to } from './route.js';
import { drop, forget, staleAll, staleFailed, take, use } from './store.js';
import { start } from './stream.js';
import { MENU, viewOf } from './views.js';

const ROLES = ['viewer', 'operator', 'admin'];
const app = { session: null, page: null, stream: null, state: { live: null, since: 0, status: 0 } };
const part = (id) => document.getElementById(id);

/** A page that is shown, as its view sees it. */
class Page {
    constructor(route) {
        this.parts = route.parts;
        this.query = route.query;
        this.session = app.session;
        this.closing = [];
        this.drawing = 0;
        this.problem = null;
        this.draw = () => {
            if (!this.drawing) this.drawing = requestAnimationFrame(() => this.drawNow());
        };
    }

    /** What the API has at `path`: {data, error}; the page is drawn again when that changes. */
    use(path) {
        return use(path, this.draw);
    }

    /** Children made of the data of several paths, once they are all there. */
    when(paths, f) {
        const all = paths.map((path) => this.use(path));
        const failed = all.find((one) => one.error && one.data === undefined);

        if (failed) return h('p', { class: 'problem' }, failed.error.message);
        if (all.some((one) => one.data === undefined)) return h('p', { class: 'loading' }, 'Loading.');
        return f(...all.map((one) => one.data));
    }

    /** Whether this user may do what needs that role. */
    may(role) {
        return ROLES.indexOf(this.session?.role) >= ROLES.indexOf(role);
    }

    onClose(f) {
        this.closing.push(f);
    }

    /** Runs what a button does; what goes wrong is shown above the page. A task that it began is followed. */
    async run(f) {
        try {
            this.show(null);
            const done = await f();

            if (done?.status === 202 && done.data?.id) noteTask(done.data);
            return done;
        } catch (problem) {
            if (problem.name === 'AbortError') return null;
            this.show(problem);
            return null;
        }
    }

    show(problem) {
        this.problem = problem;
        this.draw();
        if (problem) announce(problem.message);
    }

    drawNow() {
        this.drawing = 0;
        if (app.page !== this) return;
        const view = viewOf(this.parts);
        const nodes = view.render(this);

        update(part('main'), problemBox(this), nodes);
        part('main').dataset.at = this.parts.join('/');
        document.title = `${view.title(this.parts)} – Slipway ${part('name').textContent}`;
    }

    close() {
        drop(this.draw);
        for (const f of this.closing) f();
    }
}

function problemBox(page) {
    const { problem } = page;

    if (!problem) return null;
    return h(
        'div',
        { key: 'problem', class: 'problem', role: 'alert' },
        h('p', null, problem.message),
        problem.problems?.length > 1
            ? h(
                  'ul',
                  null,
                  problem.problems.map((text) => h('li', null, text)),
              )
            : null,
        button('Close', () => page.show(null)),
    );
}

function open() {
    const before = app.page;
    const route = here();

    if (!app.session) return;
    part('find-text').value = route.parts[0] === 'find' ? (route.query.get('q') ?? '') : '';
    app.page = new Page(route);
    before?.close();
    drawMenu();
    app.page.drawNow();
    if (before && before.parts.join('/') !== route.parts.join('/')) {
        window.scrollTo(0, 0);
        if (document.activeElement !== part('find-text'))
            part('main').querySelector('h1')?.focus({ preventScroll: true });
    }
}

function drawMenu() {
    const at = app.page.parts[0] ?? 'map';

    update(
        part('nav'),
        h(
            'ul',
            { key: 'menu' },
            MENU.filter(([, , role]) => app.page.may(role)).map(([name, title]) =>
                h(
                    'li',
                    { key: name },
                    h('a', { href: to(name), 'aria-current': at === name ? 'page' : null }, title),
                ),
            ),
        ),
    );
}

/* ---- the frame around the pages ---- */

function drawFrame() {
    const { data } = use('/environment', drawFrame);

    drawBanner();
    update(
        part('who'),
        app.session
            ? [h('a', { href: to('me') }, app.session.user), ` (${app.session.role}) `, button('Log out', logOut)]
            : [],
    );
    part('name').textContent = data?.environment ?? '';
    if (!data || !app.session) return update(part('health'));
    return update(
        part('health'),
        h(
            'a',
            { href: to('map'), class: data.healthy ? 'good' : 'bad' },
            data.healthy ? '● healthy' : '▲ not healthy',
        ),
    );
}

function drawBanner() {
    const { live, since, status } = app.state;
    const stale = app.session ? use('/environment', drawFrame).data?.stale : null;

    document.body.classList.toggle('stale', Boolean(app.session && live === false));
    if (app.session && live === false) {
        update(
            part('banner'),
            h(
                'p',
                { key: 'lost' },
                `What you see is out of date since ${date(since)}: ${
                    status === 503 ? 'the server is busy' : 'the server does not answer'
                }. Trying again. What you typed is kept.`,
            ),
        );
    } else if (stale) {
        update(
            part('banner'),
            h(
                'p',
                { key: 'stale' },
                `The server has not seen the environment since ${date(stale.since)} (${duration(
                    Date.now() - time(stale.since),
                )} ago): ${stale.detail ?? 'it does not answer'}`,
            ),
        );
    } else {
        update(part('banner'));
    }
}

async function logOut() {
    try {
        await call('POST', '/logout', { body: {} });
    } finally {
        showLogin();
    }
}

function showLogin() {
    if (!app.session && app.page === null && part('login')) return;
    app.session = null;
    app.page?.close();
    app.page = null;
    forget();
    update(part('nav'));
    drawFrame();
    document.title = 'Log in – Slipway';
    update(part('main'), loginView(enter));
    part('main').querySelector('input')?.focus();
}

/* Somebody is logged in. */
function enter(session) {
    app.session = session;
    if (here().parts[0] === 'login') history.replaceState(null, '', '#/');
    if (app.stream) app.stream.wake();
    else startStream();
    open();
    drawFrame();
}

function startStream() {
    app.stream = start({
        event: take,
        gap: staleAll,
        state(state) {
            if (app.state.live === true && state.live === false) announce('The view is out of date.');
            if (app.state.live === false && state.live === true) announce('The view is up to date again.');
            if (state.live) staleFailed();
            if (app.state.live !== false || state.live) app.state = state;
            else app.state.status = state.status;
            if (state.status === 401) recheck();
            drawBanner();
        },
    });
}

/* The stream was refused: has the session ended? */
async function recheck() {
    if (!app.session) return;
    try {
        app.session = (await call('GET', '/session')).data;
    } catch {
        // 401: onLoggedOut has shown the login
    }
}

/* ---- start ---- */

function startFind() {
    const input = part('find-text');
    const find = () => {
        const q = input.value.trim();

        if (here().parts[0] === 'find') history.replaceState(null, '', to('find', { q }));
        else history.pushState(null, '', to('find', { q }));
        open();
    };

    input.addEventListener('input', () => {
        if (app.session && input.value.trim()) find();
    });
    part('find').addEventListener('submit', (event) => {
        event.preventDefault();
        const first = part('main').querySelector('.found a');

        if (here().parts[0] === 'find' && first) location.href = first.href;
    });
    document.addEventListener('keydown', (event) => {
        const typing = event.target.closest?.('input, textarea, select, dialog, [contenteditable]');

        if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        input.focus();
        input.select();
    });
}

async function first() {
    const { parts } = here();

    onLoggedOut(showLogin);
    startFind();
    startNotices(part('notices'), () => app.page);
    window.addEventListener('hashchange', open);
    window.addEventListener('resize', () => app.page?.draw());
    document.querySelector('.skip').addEventListener('click', (event) => {
        event.preventDefault();
        part('main').focus();
    });
    if (parts[0] === 'login' && parts[1]) {
        // what `slipway open` prints; gone from the address at once
        history.replaceState(null, '', '#/');
        try {
            enter((await post('/login', { token: parts[1] })).data);
            return;
        } catch {
            // used already: perhaps there is a session
        }
    }
    try {
        enter((await call('GET', '/session')).data);
    } catch (problem) {
        if (problem.status === 401) showLogin();
        else
            update(
                part('main'),
                h('h1', { tabindex: -1 }, 'Slipway'),
                h('p', { class: 'problem' }, problem.message),
                button('Try again', () => location.reload()),
            );
    }
}

first();
