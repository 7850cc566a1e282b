// Calls of the HTTP API. Every failure becomes a Failure, whose message is what the page shows.

export class Failure extends Error {
  constructor(message, { status = 0, kafkaError = null, field = null } = {}) {
    super(message);
    this.status = status;
    this.kafkaError = kafkaError;
    this.field = field;
  }
}

const unreachable = 'The server does not answer. It may be restarting; this page tries again by itself.';

async function failureOf(response) {
  const problem = (response.headers.get('content-type') ?? '').includes('json') ? await response.json().catch(() => null) : null;
  const said = problem?.detail || problem?.title || response.statusText || 'no reason given';
  const where = problem?.field ? ` (${problem.field}${problem.limit != null ? `, limit ${problem.limit}` : ''})` : '';
  return new Failure(`${said}${where}`, { status: response.status, kafkaError: problem?.kafkaError, field: problem?.field });
}

async function call(method, path, { body, signal, headers } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      signal,
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Failure(unreachable);
  }
  if (!response.ok) throw await failureOf(response);
  if (response.status === 204 || response.status === 202) return null;
  return response.json();
}

export const get = (path, options) => call('GET', path, options);
export const post = (path, body, options) => call('POST', path, { body, ...options });
export const patch = (path, body) => call('PATCH', path, { body });
export const remove = (path) => call('DELETE', path);

// A path from its parts, each encoded: path`/topics/${name}/records`.
export const path = (texts, ...values) => String.raw({ raw: texts }, ...values.map((value) => encodeURIComponent(value)));

// Runs the work for each item, a few at a time.
export async function eachOf(items, work, atOnce = 4) {
  const left = [...items];
  await Promise.all(Array.from({ length: Math.min(atOnce, left.length) }, async () => {
    while (left.length > 0) await work(left.shift());
  }));
}
