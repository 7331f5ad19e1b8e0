// SPDX-License-Identifier: MIT
// The event stream: a killed server is told at once and nothing typed is lost; ten tabs share one stream.
import { docker, expect, expectTrue, look, reload, server, shot, step, until, visit } from './browser.mjs';

const ENV = process.env.PAGE_ENV;

async function killedServer(page) {
    await visit(page, 'configuration/echo');
    await page.getByLabel('greeting', { exact: true }).fill('typed and not applied');
    server('stop');
    const begin = Date.now();

    await page.locator('#banner p').waitFor();
    const told = Date.now() - begin;

    await shot(page, 'out-of-date');
    await page.getByLabel('level', { exact: true }).fill('7');
    server('start');
    await until('the banner goes', async () => (await page.locator('#banner p').count()) === 0);
    const back = Date.now() - begin;

    expect(
        'what was typed before',
        await page.getByLabel('greeting', { exact: true }).inputValue(),
        'typed and not applied',
    );
    expect('and meanwhile', await page.getByLabel('level', { exact: true }).inputValue(), '7');
    page.once('dialog', (dialog) => dialog.accept());
    await reload(page);
    await until(
        'after a reload too',
        async () =>
            (await page
                .getByLabel('greeting', { exact: true })
                .inputValue()
                .catch(() => '')) === 'typed and not applied',
    );
    await page.getByRole('button', { name: 'Throw my edits away' }).click();
    expectTrue(`the banner after ${told} ms`, told < 5000);
    return `banner after ${told} ms, gone after ${back} ms`;
}

export async function lost(page) {
    await step('a killed server is told at once, and nothing typed is lost', () => killedServer(page));
}

const streams = (requests) => requests.filter((url) => url.endsWith('/api/v1/events')).length;

async function tenTabs(page, asked) {
    const tabs = [];

    for (let i = 0; i < 10; i++) {
        const tab = look(await page.context().newPage());

        tab.on('request', (request) => asked.push(request.url()));
        await visit(tab, 'instances');
        await tab.locator('tbody tr').first().waitFor();
        tabs.push(tab);
    }
    expect('streams of ten further tabs', streams(asked), 0);
    return tabs;
}

async function oneEvent(tabs) {
    const stateOf = (tab) => tab.locator('tr', { hasText: 'sleeper-1' }).textContent();

    docker('stop', '-t', '1', `${ENV}-sleeper-1`);
    for (const tab of tabs) {
        await tab.bringToFront();
        await until('every tab tells of it', async () => !/ready/.test(await stateOf(tab)));
    }
    docker('start', `${ENV}-sleeper-1`);
    for (const tab of tabs) {
        await tab.bringToFront();
        await until('and of its end', async () => /ready/.test(await stateOf(tab)));
    }
}

export async function tabs(page) {
    const asked = [];
    let open = [];

    await step('ten further tabs load, and share one event stream', async () => {
        open = await tenTabs(page, asked);
    });
    await step('an event reaches all of them', async () => {
        expect('tabs', open.length, 10);
        await oneEvent(open);
    });
    await step('when the tab that has the stream closes, another one takes it over', async () => {
        const began = Date.now();
        await page.goto('about:blank'); // it had the lock
        await until('another tab asks for the stream', () => streams(asked) === 1);
        const took = Date.now() - began;

        await oneEvent(open.slice(0, 2));
        for (const tab of open) await tab.close();
        look(page);
        await visit(page, 'map');
        return `after ${took} ms`;
    });
}
