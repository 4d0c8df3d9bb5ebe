// Asking vcam. Whatever is refused comes as a Refusal, with what to do.

const ROOT = "api/v1";

export class Refusal extends Error {
  constructor(problem, hint, status) {
    super(problem);
    this.hint = hint;
    this.status = status;
  }
}

function refusal(status, body) {
  const told = body && typeof body.problem === "string" ? body : null;
  return new Refusal(told ? told.problem : `vcam answered ${status}`, told ? told.hint : "see its log", status);
}

export const path = (...parts) => [ROOT, ...parts.map(encodeURIComponent)].join("/");

async function ask(method, url, body) {
  let answer;
  try {
    answer = await fetch(url, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refusal("vcam does not answer", "does it still run?", 0);
  }
  const told = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw refusal(answer.status, told);
  return told;
}

export const get = (url) => ask("GET", url);
export const post = (url) => ask("POST", url);
export const put = (url, body) => ask("PUT", url, body);
export const patch = (url, body) => ask("PATCH", url, body);
export const remove = (url) => ask("DELETE", url);

/** Send a file; onshare is told how much has arrived, 0 to 1. */
export function upload(file, onshare) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${path("backgrounds")}?name=${encodeURIComponent(file.name.slice(-200))}`);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && onshare(event.loaded / event.total);
    request.onload = () =>
      request.status < 300 ? resolve(request.response) : reject(refusal(request.status, request.response));
    request.onerror = () => reject(new Refusal("the file did not arrive", "does vcam still run? Is the file too large?", 0));
    request.send(file);
  });
}

/** Changes, sent one after the other at most every 50 ms; of each key the last value wins. */
export class Sender {
  #waiting = {};
  #busy = false;

  constructor(url, { done, failed }) {
    Object.assign(this, { url, done, failed });
  }

  /** Whether a change of this key is on its way. */
  holds(key) {
    return this.#busy || key in this.#waiting;
  }

  send(changes) {
    Object.assign(this.#waiting, changes);
    if (!this.#busy) this.#run();
  }

  async #run() {
    this.#busy = true;
    while (Object.keys(this.#waiting).length) {
      const changes = this.#waiting;
      this.#waiting = {};
      try {
        this.done(await patch(this.url, changes));
      } catch (error) {
        this.failed(error);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    this.#busy = false;
  }
}
