// SPDX-License-Identifier: MIT
// For controller.sh: the page in a real browser. "paint": ms until the first paint of five loads, and how many requests
// there are in 5 s in which nothing changes. "click": ms from the click until an instance has acknowledged a change.
import { browser, context, loaded, until, URL_, visit } from '../../../tests/page/browser.mjs';

const [name, value] = process.env.PAGE_COOKIE.split('=');

async function open() {
    const window = await context();

    await window.addCookies([{ name, value, url: URL_, secure: true, httpOnly: true, sameSite: 'Strict' }]);
    return window.newPage();
}

async function paint() {
    let page;

    for (let i = 0; i < 5; i++) {
        page = await open();
        await visit(page, 'map');
        console.log(
            Math.round(
                await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime),
            ),
        );
    }
    await loaded(page);
    await page.waitForTimeout(1500);
    let requests = 0;
    page.on('request', () => requests++);
    await page.waitForTimeout(5000);
    console.log(requests);
}

async function click() {
    const page = await open();

    await visit(page, 'configuration/sleeper');
    await page.getByLabel('word', { exact: true }).fill(`word-${Date.now()}`);
    await page.getByRole('button', { name: 'See the plan' }).click();
    const apply = page.getByRole('button', { name: 'Apply', exact: true });
    await apply.waitFor();
    const begin = Date.now();
    await apply.click();
    const good = page.locator('[aria-labelledby=applied-title] .badge.good', { hasText: 'acknowledged' });
    await until('it acknowledges', async () => (await good.count()) > 0);
    console.log(Date.now() - begin);
}

await { paint, click }[process.argv[2]]();
await browser.close();
