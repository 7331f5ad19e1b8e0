// SPDX-License-Identifier: MIT
// What the tests of the page share: a browser, steps that are counted, axe, pictures, and the server's own switch.
import { execFileSync } from 'node:child_process';
import { readFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.PAGE_MODULES}/`);
const { chromium } = require('playwright-core'); // from build/page, where the test installed it
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export const URL_ = process.env.PAGE_URL;
const SHOTS = process.env.PAGE_SHOTS;
export const WAIT = Number(process.env.PAGE_WAIT_MS ?? 60000); // a busy machine decides no test

let passed = 0;
let failed = 0;
const errors = []; // of the console, since the last step looked

export const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // The certificate is the server's own; downloads look at this, and not at the window's options.
    args: ['--no-sandbox', '--ignore-certificate-errors'],
});

mkdirSync(SHOTS, { recursive: true });

/** A window of its own, with its own cookies. `quiet`: errors of its console are expected. */
export async function context(options = {}, quiet = false) {
    const one = await browser.newContext({
        ignoreHTTPSErrors: true,
        viewport: { width: 1280, height: 900 },
        ...options,
    });

    one.setDefaultTimeout(WAIT);
    one.on('requestfailed', noteCut);
    if (!quiet) one.on('weberror', (error) => errors.push(String(error.error().stack)));
    one.on('console', (message) => {
        // What the browser itself says of an answer that the page handles is no error of the page.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
            errors.push(message.text());
    });
    return one;
}

/** Runs a step: a sentence that must hold. */
export async function step(name, f) {
    errors.length = 0;
    allowed = null;
    try {
        const note = await f();

        if (errors.some((text) => !allowed?.test(text))) throw new Error(`the console says: ${errors.join('\n')}`);
        passed++;
        console.log(`ok - ${name}${note ? ` (${note})` : ''}`);
    } catch (error) {
        failed++;
        console.log(
            `not ok - ${name}\n    ${String(error.stack ?? error)
                .split('\n')
                .slice(0, 12)
                .join('\n    ')}`,
        );
        await shot(current, `failed-${failed}`).catch(() => {});
    }
}

let current;
let allowed = null;

/** What the console may say in this step. */
export function expected(pattern) {
    allowed = pattern;
}

/** The page that a picture is made of when a step fails. */
export function look(page) {
    current = page;
    return page;
}

export function expect(what, got, want) {
    if (got !== want) throw new Error(`${what}: expected ${JSON.stringify(want)}, got ${JSON.stringify(got)}`);
}

export function expectTrue(what, got) {
    if (!got) throw new Error(what);
}

/** Waits until `f` gives something true. */
export async function until(what, f, limit = WAIT) {
    const end = Date.now() + limit;

    for (;;) {
        const got = await f();

        if (got) return got;
        if (Date.now() > end) throw new Error(`not in time: ${what}`);
        await new Promise((resolve) => {
            setTimeout(resolve, 50);
        });
    }
}

export async function shot(page, name, options = {}) {
    await page.screenshot({ path: `${SHOTS}/${name}.png`, ...options });
}

/** What axe finds wrong, as sentences. Past the page's policy, which lets nothing be put into it. */
export async function axe(page) {
    const cdp = await page.context().newCDPSession(page);
    const run = `axe.run(document, {runOnly: ${JSON.stringify(TAGS)}}).then((r) => r.violations.map((v) =>
        v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target + ' ' + n.html.slice(0, 150)).join(' | ')))`;

    try {
        await cdp.send('Runtime.evaluate', { expression: AXE });
        const { result, exceptionDetails } = await cdp.send('Runtime.evaluate', {
            expression: run,
            awaitPromise: true,
            returnByValue: true,
        });

        if (exceptionDetails) throw new Error(`axe: ${exceptionDetails.text}`);
        return result.value;
    } finally {
        await cdp.detach();
    }
}

/* Chromium ends every request when this machine gets or loses a network, as other tests' Docker networks. */
const cut = new WeakSet(); // pages to which that happened

/* What a request or a visit ends with then; Chromium goes to its own page for it, which may come in between. */
function ofNetwork(error) {
    if (!/ERR_NETWORK_CHANGED|interrupted by another navigation to "chrome-error:/.test(error.message)) throw error;
}

function noteCut(request) {
    if (/ERR_NETWORK_CHANGED/.test(request.failure()?.errorText ?? '') && !request.url().endsWith('/events')) {
        cut.add(request.frame().page());
    }
}

async function attempt(page, go, url, wanted) {
    for (;;) {
        cut.delete(page);
        await go().catch((error) => {
            ofNetwork(error);
            cut.add(page);
        });
        await until(`what ${url} shows`, async () => (await wanted.count()) || cut.has(page));
        if (!cut.has(page)) return;
        await page.goto('about:blank').catch(ofNetwork); // another hash alone would not load the document again
        go = () => page.goto(url);
    }
}

/** Goes to an address until what is looked for is there. */
export async function arrive(page, url, wanted) {
    await attempt(page, () => page.goto(url), url, wanted);
}

/** Loads the page again until it is there. */
export async function reload(page) {
    await attempt(page, () => page.reload(), page.url(), page.locator('main h1'));
}

/** Opens an address of the page and waits until it shows what it has. */
export async function visit(page, hash) {
    await arrive(page, `${URL_}/#/${hash}`, page.locator(`main[data-at="${hash.split('?')[0]}"]`));
    await loaded(page);
}

export async function loaded(page) {
    await page.waitForSelector('main h1');
    await until('everything is loaded', async () => (await page.locator('main .loading').count()) === 0);
}

/** The server's switch: "stop" (kill -9), "start". */
export function server(...words) {
    return execFileSync(process.env.PAGE_SERVER, words, { encoding: 'utf8' });
}

/** Docker, on an instance of the environment. */
export function docker(...words) {
    return execFileSync('docker', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export async function finish() {
    await browser.close();
    console.log(`${passed} passed, ${failed} failed`);
    process.exit(failed ? 1 : 0);
}
