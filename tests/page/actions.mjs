// SPDX-License-Identifier: MIT
// Start, stop, restart; what dies is told; the find box and the keyboard alone; checks, tasks, agents, the document.
import { docker, expect, expectTrue, reload, shot, step, until, visit } from './browser.mjs';

const ENV = process.env.PAGE_ENV;
const state = (page) => page.locator('main h1 .badge').textContent();
const notice = (page, text) => page.locator('.notice', { hasText: text }).first();

async function power(page, button, confirm) {
    await page.getByRole('button', { name: button, exact: true }).click();
    if (confirm) await page.getByRole('dialog').getByRole('button', { name: confirm, exact: true }).click();
}

async function stopAndStart(page) {
    await visit(page, 'instances/echo-1');
    await power(page, 'Stop echo-1', 'Stop');
    await notice(page, 'echo-1').waitFor();
    await until('it is stopped', async () => !/ready/.test(await state(page)));
    await shot(page, 'stopped');
    expect('the container', docker('inspect', '--format', '{{.State.Running}}', `${ENV}-echo-1`).trim(), 'false');
    await power(page, 'Start echo-1');
    await until('it is ready again', async () => /ready/.test(await state(page)));
}

/* What is paused is told and not mended, so that there is time to look; let go, it is. */
async function killed(page) {
    const press = (name) => page.getByRole('button', { name, exact: true }).click();

    await visit(page, 'instances/sleeper-1');
    await press('Pause sleeper-1');
    await page.getByRole('button', { name: 'Resume sleeper-1', exact: true }).waitFor();
    await visit(page, 'map');
    await until('all is well', async () => (await page.locator('main .tile.bad').count()) === 0);
    const begin = Date.now();

    docker('kill', `${ENV}-sleeper-1`);
    await page.locator('main tbody').getByText('sleeper-1').waitFor();
    const seen = Date.now() - begin;

    await shot(page, 'killed');
    await visit(page, 'instances/sleeper-1');
    await until('it is paused', async () => /paused by/.test(await page.locator('main').textContent()));
    await press('Resume sleeper-1');
    await until('it is mended', async () => /ready/.test(await state(page)));
    await visit(page, 'map');
    await press('Pause the environment');
    await press('Resume the environment');
    await page.getByRole('button', { name: 'Pause the environment', exact: true }).waitFor();
    return `told ${seen} ms after it`;
}

/* By keyboard alone: find an instance, go there, restart it, and Escape takes a question back. */
async function keyboard(page) {
    await visit(page, 'map');
    await page.keyboard.press('/');
    await page.keyboard.type('echo-2');
    await page.locator('.found a').first().waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'echo-2' }).waitFor();
    for (let i = 0; i < 60; i++) {
        await page.keyboard.press('Tab');
        if (await page.evaluate(() => document.activeElement.getAttribute('aria-label') === 'Restart echo-2'))
            break;
    }
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    expect('dialogs after Escape', await page.getByRole('dialog').count(), 0);
    expect(
        'the focus is back',
        await page.evaluate(() => document.activeElement.getAttribute('aria-label')),
        'Restart echo-2',
    );
}

async function skipLink(page) {
    await visit(page, 'instances');
    await reload(page);
    await page.locator('main table').waitFor();
    await page.keyboard.press('Tab');
    expect('the first stop', await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
    await page.keyboard.press('Enter');
    expect('where it leads', await page.evaluate(() => document.activeElement.id), 'main');
}

/* An event draws the page again: focus and what is typed stay. */
async function focusStays(page) {
    await visit(page, 'instances');
    await page.getByLabel('Filter').fill('e');
    await page.getByLabel('Filter').focus();
    docker('restart', '-t', '1', `${ENV}-sleeper-1`);
    await until(
        'an event came',
        async () => !/ready/.test(await page.locator('tr', { hasText: 'sleeper-1' }).textContent()),
    );
    expect('the focus', await page.evaluate(() => document.activeElement.id), 'instances-q');
    expect('what was typed', await page.getByLabel('Filter').inputValue(), 'e');
    expectTrue('it is in the address', page.url().includes('q=e'));
    await until('it is ready again', async () =>
        /ready/.test(await page.locator('tr', { hasText: 'sleeper-1' }).textContent()),
    );
}

async function checks(page) {
    await visit(page, 'checks');
    await page.getByLabel('Which').fill('instances');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('table', { name: 'Results, what is wrong first' }).waitFor();
    await shot(page, 'checked');
    await page.getByRole('link', { name: 'Its task' }).click();
    await page.getByRole('heading', { name: 'Task: check' }).waitFor();
    await shot(page, 'task');
}

async function jobs(page) {
    await visit(page, 'jobs');
    const row = page.locator('tr', { hasText: 'compact' });

    expectTrue('it is off', /off/.test(await row.textContent()));
    await row.getByRole('button', { name: 'Run compact now' }).click();
    await until('it succeeds', async () => /succeeded/.test(await row.textContent()));
    await row.getByRole('link', { name: /^etcd: 1 member/ }).waitFor();
    await shot(page, 'jobs-run');
    await row.getByRole('link', { name: /^etcd: 1 member/ }).click();
    await page.getByRole('heading', { name: 'Task: job compact' }).waitFor();
}

async function agents(page) {
    await visit(page, 'agents');
    await page.getByLabel('Choose echo-2').check();
    await page.getByRole('button', { name: 'Deploy the agent' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Deploy' }).click();
    const told = notice(page, 'agent deploy');

    await until('it ends', async () => /succeeded|failed/.test(await told.textContent()));
    const text = await told.textContent();

    await shot(page, 'deployed');
    expectTrue(`it succeeds: ${text}`, /succeeded/.test(text));
}

async function document_(page) {
    await visit(page, 'document');
    await page.getByRole('button', { name: 'See the plan' }).click();
    await page.locator('#document-plan').waitFor();
    const text = await page.getByLabel('The document in force, as YAML').inputValue();

    expectTrue('it is the document', text.includes('echo'));
    await page.getByLabel('The document in force, as YAML').fill(text.replace(/echo:/, 'echoo:'));
    await page.getByRole('button', { name: 'See the plan' }).click();
    await page.locator('main > .problem').waitFor();
    await shot(page, 'document-refused');
    await page.getByRole('button', { name: 'Throw my edits away' }).click();
    await until(
        'it is the old text',
        async () => (await page.getByLabel('The document in force, as YAML').inputValue()) === text,
    );
}

export async function actions(page) {
    await step('an instance is stopped and started, and the page tells of it', () => stopAndStart(page));
    await step('docker kill is told on the map, and mended', () => killed(page));
    await step('the keyboard alone is enough', () => keyboard(page));
    await step('the first Tab skips to the content', () => skipLink(page));
    await step('an update takes neither the focus nor what was typed', () => focusStays(page));
    await step('checks run, and their task is told', () => checks(page));
    await step('a job is off, runs when somebody asks, and says what it did', () => jobs(page));
    await step('an agent is deployed', () => agents(page));
    await step('the document has a plan, and a bad one is refused with its sentences', () => document_(page));
    await step('tasks are listed with who began them', async () => {
        await visit(page, 'tasks');
        expectTrue('the check is there', /check/.test(await page.locator('main table').textContent()));
        await shot(page, 'tasks-full');
    });
}
