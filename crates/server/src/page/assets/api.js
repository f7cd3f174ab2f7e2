// Asking the server. Every failure is an `ApiError` whose message says what to do.

const KEY = "strait-key";
// How often a server that is busy (429), or still loading a model or its texts (503), is asked again.
const TRIES = { 429: 8, 503: 180 };

/** What the server refused, or that it was not there (`status` 0). */
export class ApiError extends Error {
  constructor(status, message, param = null) {
    super(message);
    this.status = status;
    this.param = param;
  }
}

/** Whether requests carry a key, which what the browser loads by itself (a frame) does not. */
export const hasKey = () => sessionStorage.getItem(KEY) !== null;

let askForKey = async () => null;

/** Sets how a person is asked for the API key: gives the key, or null. */
export function onKeyWanted(ask) {
  let asking = null;
  // Several requests that are refused at once ask once.
  askForKey = () => {
    asking ??= ask().finally(() => { asking = null; });
    return asking;
  };
}

const pause = (seconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, seconds * 1000);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});

async function refused(response) {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text);
    return new ApiError(response.status, error.message, error.param);
  } catch {
    return new ApiError(response.status, text || `HTTP ${response.status}`);
  }
}

/** A good response. A key is asked for if one is wanted; a busy or loading server is asked again. */
async function ask(path, options) {
  for (let tried = 1; ; tried += 1) {
    const key = sessionStorage.getItem(KEY);
    const headers = { ...options.headers, ...(key && { authorization: `Bearer ${key}` }) };
    let response = null;
    try {
      response = await fetch(path, { ...options, headers });
    } catch (e) {
      if (options.signal?.aborted) throw e;
      throw new ApiError(0, "the server does not answer");
    }
    if (response.ok) return response;
    const wait = Number(response.headers.get("retry-after"));
    if (response.status === 401) {
      const given = await askForKey();
      if (!given) throw await refused(response);
      sessionStorage.setItem(KEY, given);
    } else if (wait > 0 && tried < (TRIES[response.status] ?? 0)) {
      await pause(wait, options.signal);
    } else {
      throw await refused(response);
    }
  }
}

const posted = (body, signal) => ({
  method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" }, signal,
});

/** The JSON at a path. */
export async function get(path, signal) {
  return (await ask(path, { signal })).json();
}

/** The text at a path. */
export async function getText(path, signal) {
  return (await ask(path, { signal })).text();
}

/** The JSON that answers a body. */
export async function post(path, body, signal) {
  return (await ask(path, posted(body, signal))).json();
}

/** Server-sent events, as `{name, data}`: of a body that is posted, or of a path if there is none. */
export async function* events(path, body, signal) {
  const response = await ask(path, body === null ? { signal } : posted(body, signal));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const field = (name) => block.split("\n").filter((line) => line.startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).replace(/^ /, "")).join("\n");
      const data = field("data");
      if (!data) continue;
      const parsed = JSON.parse(data);
      if (field("event") === "error") throw new ApiError(200, parsed.error.message, parsed.error.param);
      yield { name: field("event"), data: parsed };
    }
  }
}
