// SPDX-License-Identifier: MIT
// Live logs: what comes is text, filter, search, pause, wrap, download, and 100,000 lines.
import { readFileSync } from 'node:fs';
import { docker, expect, expectTrue, reload, shot, step, until, visit } from './browser.mjs';

const ENV = process.env.PAGE_ENV;
const MANY = 120000;
const PART = 20000;
const WORD = `n${Date.now() % 1000000}`; // of this run
const text = (page) => page.locator('.log').innerText();
const status = (page) => page.locator('main .status').textContent();

/** Has an instance print what a shell prints. */
function print(instance, script) {
    docker('exec', '-u', '0', `${ENV}-${instance}`, 'sh', '-c', `{ ${script}; } >/proc/1/fd/1`);
}

async function comes(page) {
    await visit(page, 'instances/echo-1/logs');
    await until('it is live', async () => /live/.test(await status(page)));
    const begin = Date.now();

    print('echo-1', "printf '\\033[31mred\\033[0m <b id=evil>bold</b> \\001 end-of-it\\n'");
    await until('the line is there', async () => (await text(page)).includes('end-of-it'));
    const took = Date.now() - begin;

    expectTrue('as text, without escapes', (await text(page)).includes('red <b id=evil>bold</b> ␁ end-of-it'));
    expect('elements that it made', await page.locator('#evil').count(), 0);
    await shot(page, 'log');
    return `after ${took} ms`;
}

async function several(page) {
    await visit(page, 'logs');
    await page.getByText('Of all instances').click();
    await page.getByLabel('all of echo').check();
    await until('it is live', async () => /live/.test(await status(page)));
    print('echo-1', 'echo one-prints');
    print('echo-2', 'echo two-prints');
    await until('both are there', async () => /echo-1 +one-prints[^]*echo-2 +two-prints/.test(await text(page)));
    expectTrue('the choice is in the address', page.url().includes('of=echo'));
    await page.getByLabel('Filter').fill('-prints');
    await reload(page);
    await until('both are there after a reload', async () => /one-prints[^]*two-prints/.test(await text(page)));
}

async function many(page) {
    await visit(page, 'instances/echo-2/logs');
    await until('it is live', async () => /live/.test(await status(page)));
    const begin = Date.now();

    // In parts: Docker loses and repeats lines for a reader that is more than its log's rotation behind.
    for (let from = 1; from <= MANY; from += PART) {
        const to = from + PART - 1;

        print(
            'echo-2',
            `seq -f '${WORD} %.0f of many, and more words so that it is like a line of a log' ${from} ${to}`,
        );
        await until('the last is there', async () => (await text(page)).includes(`${WORD} ${to} of`));
    }
    const took = Date.now() - begin;

    expectTrue(`held: ${await status(page)}`, /1\d\d\d\d\d lines, the newest 100000/.test(await status(page)));
    expectTrue('few of them are elements', (await page.locator('.log-line').count()) < 200);
    const slow = await page.evaluate(async () => {
        const log = document.querySelector('.log');
        const all = [];

        for (let i = 0; i < 30; i++) {
            const from = performance.now();

            log.scrollTop = (log.scrollHeight * i) / 30;
            await new Promise((resolve) => {
                requestAnimationFrame(() => requestAnimationFrame(resolve));
            });
            all.push(performance.now() - from);
        }
        return all.sort((a, b) => a - b)[15];
    });

    expectTrue(`two frames of a far scroll take ${slow} ms`, slow < 250);
    return `${took} ms for ${MANY} lines, two frames of a scroll in ${slow.toFixed(0)} ms`;
}

async function filtered(page) {
    const begin = Date.now();

    await page.getByLabel('Filter').fill(`${WORD} 119999 `);
    await until('one is left', async () => /; 1 line of/.test(await status(page)));
    const took = Date.now() - begin;

    expectTrue('it is in the address', page.url().includes('filter='));
    await reload(page);
    await until(
        'the filter stays',
        async () => (await page.getByLabel('Filter').inputValue()) === `${WORD} 119999 `,
    );
    await page.getByLabel('Filter').fill(`/${WORD} 11999[0-4]/`);
    await until('an expression', async () => !(await text(page)).includes(`${WORD} 119999 `));
    await page.getByLabel('Filter').fill('/(/');
    await until('a bad one is said', async () => /No expression/.test(await status(page)));
    await page.getByLabel('Filter').fill('');
    return `filtered after ${took} ms`;
}

async function searched(page) {
    // The last step loaded the page again: a search finds what has come.
    await until('the last line is there', async () => (await text(page)).includes(`${WORD} ${MANY} of`));
    await page.getByLabel('Search').fill(`${WORD} 119700 `);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.locator('.log-line.hit', { hasText: `${WORD} 119700 of` }).waitFor();
    expectTrue('it is marked', (await page.locator('.log mark').count()) >= 1);
    await shot(page, 'log-search');
    await page.getByRole('button', { name: 'To the end' }).click();
    await until('the end', async () => (await text(page)).includes(`${WORD} ${MANY} of`));
    await page.getByLabel('Search').fill('');
}

async function paused(page) {
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    print('echo-2', 'echo while-it-is-paused');
    await until('it is counted', async () => /paused, 1 new line/.test(await status(page)));
    expectTrue('and not shown', !(await text(page)).includes('while-it-is-paused'));
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await until('then it is shown', async () => (await text(page)).includes('while-it-is-paused'));
}

async function wrapped(page) {
    const overflow = () =>
        page.evaluate(() => {
            const log = document.querySelector('.log');

            return log.scrollWidth - log.clientWidth;
        });

    print('echo-2', "head -c 3000 /dev/zero | tr '\\0' x; echo");
    await until('the long line is there', async () => (await text(page)).includes('xxxxxxxx'));
    expect('what is beside the window when wrapped', await overflow(), 0);
    await page.getByRole('button', { name: 'Wrap' }).click();
    await until('it is one row', async () => (await overflow()) > 1000);
    await page.getByRole('button', { name: 'Wrap' }).click();
    await page.getByRole('button', { name: 'Times' }).click();
    await page.locator('.log-time').first().waitFor();
    await shot(page, 'log-times');
    await page.getByRole('button', { name: 'Times' }).click();
}

async function hugeLine(page) {
    print('echo-2', "head -c 1000000 /dev/zero | tr '\\0' y; echo; echo after-the-megabyte");
    await until('what follows it is there', async () => (await text(page)).includes('after-the-megabyte'));
    expectTrue('the page answers', await page.evaluate(() => true));
}

async function download(page) {
    const file = await until('the download', async () => {
        const waiting = page.waitForEvent('download');

        await page.getByRole('link', { name: 'Download everything' }).click();
        return (await waiting).path().catch(() => null); // ended by another test's network: once more
    });
    const lines = readFileSync(file, 'utf8').split('\n');

    expectTrue(
        'the first and the last are in it',
        lines.some((one) => one.includes(`${WORD} 1 of`)) &&
            lines.some((one) => one.includes(`${WORD} ${MANY} of`)),
    );
    return `${lines.length} lines`;
}

export async function logs(page) {
    await step('a line is on the page at once, as text', () => comes(page));
    await step('several instances are in one log, and the choice survives a reload', () => several(page));
    await step('100,000 lines are held without slowing', () => many(page));
    await step('they are filtered, and the filter survives a reload', () => filtered(page));
    await step('they are searched', () => searched(page));
    await step('a pause keeps what comes', () => paused(page));
    await step('long lines wrap', () => wrapped(page));
    await step('a line of a megabyte', () => hugeLine(page));
    await step('everything is downloaded', () => download(page));
}
