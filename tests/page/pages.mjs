// SPDX-License-Identifier: MIT
// The way in, and every page: nothing wrong in the console, nothing that axe finds, light and dark, phone, zoomed,
// after a reload.
import {
    arrive,
    axe,
    context,
    expect,
    expected,
    expectTrue,
    loaded,
    look,
    reload,
    shot,
    step,
    URL_,
    visit,
} from './browser.mjs';

const PAGES = [
    ['map', 'Map of the environment'],
    ['instances', 'Instances'],
    ['instances/echo-1', 'echo-1'],
    ['instances/echo-1/configuration', 'echo-1'],
    ['instances/echo-1/history', 'echo-1'],
    ['instances/echo-1/logs', 'echo-1'],
    ['logs?of=echo', 'Logs'],
    ['configuration', 'Configuration'],
    ['configuration/echo', 'Configuration of echo'],
    ['document', 'Document'],
    ['volumes', 'Volumes'],
    ['checks', 'Checks'],
    ['jobs', 'Jobs'],
    ['tasks', 'Tasks'],
    ['agents', 'Agents'],
    ['audit', 'Audit'],
    ['users', 'Users'],
    ['me', 'You'],
    ['find?q=echo', 'Find'],
    ['nowhere', 'No such page'],
];

const fileOf = (hash) => hash.replace(/[^a-z0-9]+/g, '-');

/** Logs in with the token that the server printed; the page that everything else uses. */
export async function enter() {
    const window = await context({ acceptDownloads: true });
    const page = look(await window.newPage());

    await step('somebody who is not logged in sees the login, whatever the address', async () => {
        await arrive(page, `${URL_}/#/instances/echo-1`, page.getByRole('heading', { name: 'Log in' }));
        await shot(page, 'login');
        expect('axe', (await axe(page)).join('\n'), '');
    });
    await step('a wrong password is refused with a sentence, and nothing of it is shown', async () => {
        await page.getByLabel('User').fill('ann');
        await page.getByLabel('Password').fill('wrong-password-7');
        await page.getByRole('button', { name: 'Log in' }).click();
        await page.locator('main [role=alert]:visible').waitFor();
        const text = await page.locator('main [role=alert]').textContent();

        expectTrue('it says why', text.length > 5 && !text.includes('wrong-password-7'));
    });
    await step('the address with the token logs in, and does not keep the token', async () => {
        await page.goto('about:blank');
        await page.goto(`${URL_}/#/login/${process.env.PAGE_TOKEN}`);
        await page.getByRole('heading', { name: 'Map of the environment' }).waitFor();
        expectTrue('the token is gone from the address', !page.url().includes(process.env.PAGE_TOKEN));
    });
    return page;
}

async function wide(page) {
    return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

async function dressed(page, hash, options, name) {
    await page.setViewportSize(options.viewport);
    await page.emulateMedia({
        colorScheme: options.colorScheme ?? 'light',
        reducedMotion: options.reducedMotion ?? null,
    });
    await loaded(page);
    // Another colour scheme is faded into: what is looked at is its end.
    await page.evaluate(() => document.getAnimations().forEach((one) => one.finish()));
    await shot(page, name);
    expect(`axe, ${name}`, (await axe(page)).join('\n'), '');
    expect(`what is wider than the window, ${name}`, await wide(page), 0);
}

async function one(page, hash, title) {
    await page.setViewportSize({ width: 1280, height: 900 });
    await visit(page, hash);
    expectTrue('its heading', (await page.locator('main h1').textContent()).startsWith(title));
    expect('what went wrong', await page.locator('main .problem').count(), 0);
    await reload(page);
    await page.locator('main[data-at]').waitFor();
    await loaded(page);
    expectTrue('its heading after a reload', (await page.locator('main h1').textContent()).startsWith(title));
    expectTrue('a title of its own', (await page.title()).includes('Slipway'));
    await dressed(page, hash, { viewport: { width: 1280, height: 900 } }, `${fileOf(hash)}`);
    await dressed(
        page,
        hash,
        { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
        `${fileOf(hash)}-dark`,
    );
    await dressed(
        page,
        hash,
        { viewport: { width: 390, height: 800 }, reducedMotion: 'reduce' },
        `${fileOf(hash)}-phone`,
    );
    await dressed(page, hash, { viewport: { width: 640, height: 450 } }, `${fileOf(hash)}-zoomed`); // 200 % of 1280
}

async function quiet(page) {
    const asked = [];
    const note = (request) => asked.push(request.url());

    await visit(page, 'map');
    await page.waitForTimeout(1500);
    page.on('request', note);
    await page.waitForTimeout(6000);
    page.off('request', note);
    expect('requests while nothing changes', asked.join(' '), '');
}

export async function everyPage(page) {
    for (const [hash, title] of PAGES) await step(`the page ${hash}`, () => one(page, hash, title));
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme: 'light' });
    await step('when nothing changes there is no request but the stream', () => quiet(page));
    await step('the files of the page are under 200 KB together, and all from here', async () => {
        await visit(page, 'map');
        await reload(page);
        await loaded(page);
        const sizes = await page.evaluate(async () => {
            const files = performance.getEntriesByType('resource').filter((file) => !file.name.includes('/api/'));

            return Promise.all(
                files.map(async ({ name }) => [name, (await (await fetch(name)).arrayBuffer()).byteLength]),
            );
        });
        const bytes = sizes.reduce((sum, [, size]) => sum + size, 0);

        expectTrue(
            'all from this server',
            sizes.every(([name]) => name.startsWith(URL_)),
        );
        expectTrue(`under 200 KB: ${bytes}`, bytes > 50000 && bytes < 200 * 1024);
        const paint = await page.evaluate(
            () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
        );

        return `${Math.round(bytes / 1024)} KiB, first paint after ${Math.round(paint)} ms`;
    });
    await step('markup that the page would put into itself is refused by its policy', async () => {
        expected(/TrustedHTML/);
        expect(
            'what happened',
            await page.evaluate(() => {
                try {
                    document.querySelector('main').innerHTML = '<b>x</b>';
                    return 'taken';
                } catch (error) {
                    return error.name;
                }
            }),
            'TypeError',
        );
    });
}
