// SPDX-License-Identifier: MIT
// Users, roles and tokens: what a viewer sees, and what happens when a session or a token is revoked; the audit.
import { arrive, axe, context, expect, expectTrue, look, reload, shot, step, until, URL_, visit } from './browser.mjs';

const PASSWORD = 'a-password-for-vic';

async function newUser(page) {
    await visit(page, 'users');
    await page.getByRole('button', { name: 'New user' }).click();
    const dialog = page.getByRole('dialog');

    await dialog.getByLabel('Name').fill('vic');
    await dialog.getByLabel('Password').fill('short');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('alert').waitFor();
    expect('axe', (await axe(page)).join('\n'), '');
    await shot(page, 'new-user');
    await dialog.getByLabel('Password').fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('row', { name: /vic/ }).first().waitFor();
}

async function logIn(user, password) {
    const window = await context();
    const page = await window.newPage();

    await arrive(page, `${URL_}/`, page.getByRole('heading', { name: 'Log in' }));
    await page.getByLabel('User').fill(user);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Map of the environment' }).waitFor();
    return page;
}

async function viewer(other) {
    look(other);
    for (const hash of [
        'map',
        'instances/echo-1',
        'configuration/echo',
        'volumes',
        'agents',
        'checks',
        'document',
    ]) {
        await visit(other, hash);
        const buttons = await other.locator('main button:enabled:visible').allTextContents();

        expect(`buttons of ${hash}`, buttons.filter((text) => !['Copy', 'Close'].includes(text)).join(), '');
    }
    expect('pages for admins in the menu', await other.locator('#nav a', { hasText: /Users|Audit/ }).count(), 0);
    await visit(other, 'map');
    await shot(other, 'viewer');
}

async function changed(page, other) {
    look(page);
    await visit(page, 'users');
    await page.getByRole('button', { name: 'Change vic' }).click();
    await page.getByRole('dialog').getByLabel('Role').selectOption('operator');
    await page.getByRole('dialog').getByRole('button', { name: 'Change' }).click();
    await page.getByRole('row', { name: /vic operator/ }).waitFor();
    await other.close();
}

async function revoked(page) {
    const other = await logIn('vic', PASSWORD);

    look(page);
    await visit(page, 'users');
    await page.getByRole('button', { name: 'Delete vic' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await until(
        'the user is gone',
        async () => (await page.getByRole('button', { name: 'Delete vic' }).count()) === 0,
    );
    look(other);
    await other.getByRole('heading', { name: 'Log in' }).waitFor();
    await shot(other, 'revoked');
    expectTrue(
        'nothing of the environment is left on it',
        !(await other.locator('main').textContent()).includes('echo'),
    );
    await other.context().close();
    look(page);
}

async function token(page) {
    await visit(page, 'me');
    await page.getByRole('button', { name: 'New token' }).click();
    await page.getByRole('dialog').getByLabel('What it is for').fill('a program');
    await page.getByRole('dialog').getByRole('button', { name: 'Make it' }).click();
    const secret = await page.locator('.secret').textContent();
    const status = await page.evaluate(
        async (bearer) =>
            (
                await fetch('/api/v1/instances', {
                    credentials: 'omit',
                    headers: { Authorization: `Bearer ${bearer}` },
                })
            ).status,
        secret,
    );

    expect('what it gets', status, 200);
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.getByRole('button', { name: /^Revoke a program/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await until(
        'it is gone',
        async () => (await page.getByRole('button', { name: /^Revoke a program/ }).count()) === 0,
    );
}

async function audit(page) {
    await visit(page, 'audit');
    const text = await page.locator('main table').textContent();

    expectTrue('the new user is there', /vic/.test(text));
    expectTrue('no password is', !text.includes(PASSWORD));
    await shot(page, 'audit-full');
}

async function loggedOut(page) {
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await reload(page);
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
}

export async function people(page) {
    let other;

    await step('a user is made, and a short password is refused in the dialog', () => newUser(page));
    await step('a viewer logs in and sees no button that changes anything', async () => {
        other = await logIn('vic', PASSWORD);
        await viewer(other);
    });
    await step('a role is changed', () => changed(page, other));
    await step('a deleted user sees the login at once', () => revoked(page));
    await step('a token works until it is revoked', () => token(page));
    await step('the audit says who did what, without secrets', () => audit(page));
    await step('logging out ends it, also after a reload', () => loggedOut(page));
}
