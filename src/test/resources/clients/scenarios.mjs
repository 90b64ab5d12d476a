// Runs a library's scenarios against the URL of the first argument and prints what each saw as lines
// "scenario.key: value", which the Java test judges. "abort" as the second argument: that scenario alone, and the
// process lives on until its standard input ends, so that only the library can have ended the stream. Any other name:
// the scenario of that name alone.

export async function run(scenarios, abort) {
  const [url, only] = process.argv.slice(2);
  if (only === 'abort') {
    await tell('abort', () => abort(url));
    process.stdin.on('data', () => {}).on('end', () => process.exit(0));
    return;
  }
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (!only || only === name) {
      await tell(name, () => scenario(url));
    }
  }
}

async function tell(name, scenario) {
  let seen;
  try {
    seen = await scenario();
  } catch (e) {
    seen = {
      error: e.constructor.name,
      name: e.name,
      status: e.status ?? e.status_code,
      message: e.error?.message ?? e.message,
    };
  }
  for (const [key, value] of Object.entries(seen)) {
    console.log(`${name}.${key}: ${JSON.stringify(value)}`);
  }
}
