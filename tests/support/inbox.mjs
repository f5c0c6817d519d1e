// What arrives, in order, for tests to wait for.

export class Inbox {
  #items = [];
  #waiting = [];

  /** Bound, so that it can be handed over as a callback. */
  push = (item) => {
    this.#items.push(item);
    this.#waiting.splice(0).forEach((wake) => wake());
  };

  get size() {
    return this.#items.length;
  }

  /** Takes the next `count` items out; says what is there when they do not come in time. */
  async take(count, ms = 8000) {
    const deadline = Date.now() + ms;
    while (this.#items.length < count) {
      const left = deadline - Date.now();
      if (left <= 0) {
        throw new Error(
          `${this.#items.length} of ${count} in ${ms} ms: ${JSON.stringify(this.#items).slice(0, 2000)}`,
        );
      }
      await this.#change(left);
    }
    return this.#items.splice(0, count);
  }

  async next(ms) {
    return (await this.take(1, ms))[0];
  }

  /** Takes the first item that fits, and leaves the others in their order. */
  async find(fits, ms = 8000) {
    const deadline = Date.now() + ms;
    for (;;) {
      const at = this.#items.findIndex(fits);
      if (at >= 0) return this.#items.splice(at, 1)[0];
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(`none of these fits: ${JSON.stringify(this.#items).slice(0, 2000)}`);
      await this.#change(left);
    }
  }

  #change(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

export const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Repeats until `holds` is true; for what has no event of its own. */
export async function until(holds, what, ms = 8000) {
  for (const deadline = Date.now() + ms; Date.now() < deadline;) {
    if (await holds()) return;
    await pause(20);
  }
  throw new Error(`not within ${ms} ms: ${what}`);
}

/** For comparing what came over several channels: an order is promised within each one only. */
export const unordered = (list) => list.map((item) => JSON.stringify(item)).sort();
