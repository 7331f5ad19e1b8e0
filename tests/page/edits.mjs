// SPDX-License-Identifier: MIT
// Arguments and configuration: plan, apply, acknowledged, taken back; refused ones; two editors.
import { axe, docker, expect, expectTrue, shot, step, until, visit, look } from './browser.mjs';

const ENV = process.env.PAGE_ENV;
const plan = (page) => page.getByRole('button', { name: 'See the plan' }).click();
const acknowledged = (page) =>
    page.locator('[aria-labelledby=applied-title] .badge.good', { hasText: 'acknowledged' });

async function live(page) {
    await visit(page, 'configuration/echo');
    await page.getByLabel('greeting', { exact: true }).fill('ahoy');
    await plan(page);
    await page.locator('#plan-title').waitFor();
    expect('rows of the diff', await page.locator('main .diff > li').count(), 1);
    await shot(page, 'plan');
    expect('axe', (await axe(page)).join('\n'), '');
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    const begin = Date.now();

    await until('both acknowledge', async () => (await acknowledged(page).count()) === 2);
    await shot(page, 'acknowledged');
    return `after ${Date.now() - begin} ms`;
}

async function takenBack(page) {
    await page.getByRole('button', { name: 'Take it back' }).click();
    await page.getByRole('heading', { name: 'Taken back' }).waitFor();
    await until('both acknowledge', async () => (await acknowledged(page).count()) === 2);
    expect('the value', await page.getByLabel('greeting', { exact: true }).inputValue(), 'hello');
    await page.getByRole('button', { name: 'Done' }).click();
}

async function refused(page) {
    await visit(page, 'configuration/echo');
    await page.getByLabel('size', { exact: true }).fill('1 zebibyte');
    await plan(page);
    await page.locator('main > .problem').waitFor();
    expect(
        'the field is marked',
        await page.getByLabel('size', { exact: true }).getAttribute('aria-invalid'),
        'true',
    );
    expectTrue(
        'with the sentence',
        /zebibyte/.test(
            (await page.locator('.key', { hasText: 'size' }).first().textContent()) +
                (await page.locator('main > .problem').textContent()),
        ),
    );
    await shot(page, 'refused');
    await page.getByRole('button', { name: 'Throw my edits away' }).click();
    await page.locator('main > .problem').waitFor({ state: 'detached' });
}

async function argument(page) {
    await visit(page, 'instances/echo-2/configuration');
    await page.getByLabel('port', { exact: true }).fill('8081');
    await plan(page);
    await page.locator('main .diff', { hasText: 'its daemon restarts' }).waitFor();
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    await until(
        'it is acknowledged or waits',
        async () =>
            (await page
                .locator('[aria-labelledby=applied-title] .badge', { hasText: /acknowledged after/ })
                .count()) === 1,
    );
    await until(
        'its daemon has the argument',
        () => docker('top', `${ENV}-echo-2`, '-o', 'pid,args').includes('--port=8081') || restartWhenPending(page),
    );
    await page.getByRole('button', { name: 'Take it back' }).click();
    await page.getByRole('heading', { name: 'Taken back' }).waitFor();
}

/* Where the change waits for a restart, somebody restarts it. */
async function restartWhenPending(page) {
    const waits = page.locator('[aria-labelledby=applied-title] .badge', { hasText: 'waits for a restart' });

    if ((await waits.count()) === 0) return false;
    await page.getByRole('button', { name: 'Restart echo-2', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Restart', exact: true }).click();
    await until('it restarts', async () => (await waits.count()) === 0);
    return false;
}

/* The second of two editors is told, and what it typed is there. */
async function twoEditors(page) {
    const other = await page.context().newPage();

    await visit(page, 'configuration/echo');
    await visit(other, 'configuration/echo');
    await page.getByLabel('level', { exact: true }).fill('3');
    await plan(page);
    await page.locator('#plan-title').waitFor();
    await other.getByLabel('greeting', { exact: true }).fill('faster');
    await plan(other);
    await other.getByRole('button', { name: 'Apply', exact: true }).click();
    await other.locator('#applied-title').waitFor();
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    await page.locator('main > .problem', { hasText: 'Somebody changed echo meanwhile' }).waitFor();
    expect('what was typed', await page.getByLabel('level', { exact: true }).inputValue(), '3');
    expect('what the other one did', await page.getByLabel('greeting', { exact: true }).inputValue(), 'faster');
    await shot(page, 'two-editors');
    await other.close();
    look(page);
    await plan(page);
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    await page.locator('#applied-title').waitFor();
}

async function history(page) {
    await visit(page, 'configuration/echo');
    const put = page.getByRole('button', { name: /^Put back what level was/ }).first();

    await put.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Put them back' }).click();
    await page.getByRole('heading', { name: 'Put back', exact: true }).waitFor();
    await until(
        'the value is the old one',
        async () => (await page.getByLabel('level', { exact: true }).inputValue()) === '1',
    );
    await shot(page, 'history');
}

export async function edits(page) {
    await step('a live key is planned, applied and acknowledged by both instances', () => live(page));
    await step('it is taken back', () => takenBack(page));
    await step('a value that the schema refuses is said at its field', () => refused(page));
    await step('an argument of one instance is changed, and its daemon has it', () => argument(page));
    await step('of two editors the second is told, and keeps what was typed', () => twoEditors(page));
    await step('an entry of the history is put back', () => history(page));
}
