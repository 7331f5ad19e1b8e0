// SPDX-License-Identifier: MIT
// The page in a real browser, against the real server of a real environment: every page, every action. page.sh runs it.
import { finish } from './browser.mjs';
import { actions } from './actions.mjs';
import { edits } from './edits.mjs';
import { enter, everyPage } from './pages.mjs';
import { logs } from './logs.mjs';
import { lost, tabs } from './stream.mjs';
import { people } from './people.mjs';
import { storage } from './storage.mjs';

const wanted = (process.env.PAGE_ONLY ?? '').split(' ').filter(Boolean);
const parts = { everyPage, actions, edits, logs, lost, tabs, storage, people };
const page = await enter();

for (const [name, part] of Object.entries(parts)) {
    if (wanted.length === 0 || wanted.includes(name)) await part(page);
}
await finish();
