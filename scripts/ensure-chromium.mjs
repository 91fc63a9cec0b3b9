// Installs Debian's chromium for the browser tests where it is missing and can be installed; otherwise they say why they skip.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const browser = process.env.ESPALIER_CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(browser) && existsSync('/usr/bin/apt-get') && process.getuid?.() === 0) {
  const run = (...args) => spawnSync('apt-get', args, { stdio: 'ignore', timeout: 240_000 }).status === 0;
  const done = run('update') && run('install', '-y', '--no-install-recommends', 'chromium');
  console.log(
    done
      ? 'chromium installed for the browser tests'
      : 'chromium could not be installed: the browser tests are skipped',
  );
}
