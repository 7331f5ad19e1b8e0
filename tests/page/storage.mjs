// SPDX-License-Identifier: MIT
// Volumes: create, snapshot, resize, attach, roll back, delete. Where the environment has storage:
// not with PAGE_STORAGE=0.
import { axe, expect, expectTrue, shot, step, until, visit } from './browser.mjs';

async function ask(page, button, fill, confirm) {
    await page.getByRole('button', { name: button, exact: true }).click();
    const dialog = page.getByRole('dialog');

    for (const [label, value] of Object.entries(fill)) {
        const field = dialog.getByLabel(label);

        if (await field.evaluate((node) => node.tagName === 'SELECT')) await field.selectOption(value);
        else await field.fill(value);
    }
    await dialog.getByRole('button', { name: confirm, exact: true }).click();
    await until('the dialog closes', async () => (await page.getByRole('dialog').count()) === 0);
}

async function create(page) {
    await visit(page, 'volumes');
    await ask(page, 'New volume', { Name: 'disk', Size: '64MiB' }, 'Create');
    await page.getByRole('link', { name: 'disk', exact: true }).first().click();
    await page.getByRole('heading', { name: 'Volume disk' }).waitFor();
    await until('its size', async () => /64 MiB/.test(await page.locator('main .facts').textContent()));
}

async function attach(page) {
    await ask(page, 'Attach', { To: 'volumedriver-qemu-1' }, 'Attach');
    await until('the lines that use it', async () => (await page.locator('.line code').count()) > 0);
    await shot(page, 'volume');
    expect('axe', (await axe(page)).join('\n'), '');
    await ask(page, 'Detach', {}, 'Detach');
    await until('it is free', async () => /none/.test(await page.locator('main .facts').textContent()));
}

async function snapshots(page) {
    await ask(page, 'Snapshot', { 'Name of the snapshot': 'monday' }, 'Make it');
    await page.getByRole('button', { name: 'Roll back to monday' }).waitFor();
    await page.getByRole('button', { name: 'Roll back to monday' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
    // Its own notice: those of the tasks before it may still be there, and a deletion before it ends is refused.
    await page.locator('.notice', { hasText: /snapshot rollback disk: succeeded/ }).waitFor();
    await page.getByRole('button', { name: 'Delete the snapshot monday' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await until('it is gone', async () => (await page.getByRole('button', { name: /monday/ }).count()) === 0);
}

export async function storage(page) {
    if (process.env.PAGE_STORAGE !== '1') {
        console.log('skipped - volumes: the environment has no storage (PAGE_STORAGE=0)');
        return;
    }
    await step('a volume is created', () => create(page));
    await step('it is attached, with the lines that use it, and detached', () => attach(page));
    await step('it is snapshotted, rolled back, and the snapshot is deleted', () => snapshots(page));
    await step('it is resized', async () => {
        await ask(page, 'Resize', { Size: '128MiB' }, 'Resize');
        await until('its size', async () => /128 MiB/.test(await page.locator('main .facts').textContent()));
    });
    await step('it is deleted', async () => {
        await ask(page, 'Delete', {}, 'Delete');
        await visit(page, 'volumes');
        await until(
            'it is gone',
            async () => (await page.getByRole('link', { name: 'disk', exact: true }).count()) === 0,
        );
        expectTrue('the page stands', (await page.locator('main h1').textContent()) === 'Volumes');
    });
}
