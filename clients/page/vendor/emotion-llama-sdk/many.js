/** Many clips: how they are worked on at once, and what becomes of each. */
/**
 * Work on items, so many at once, and yield what becomes of each as it comes. They are taken only
 * as there is room.
 *
 * @param work - Must not fail.
 */
async function* asDone(items, concurrency, work) {
    const working = new Map();
    const next = async () => {
        const { id, result } = await Promise.race(working.values());
        working.delete(id);
        return result;
    };
    let taken = 0;
    for (const item of items) {
        const id = taken++;
        const withId = (result) => ({ id, result });
        working.set(id, work(item).then(withId));
        if (working.size >= concurrency) {
            yield await next();
        }
    }
    while (working.size > 0) {
        yield await next();
    }
}
/**
 * Do the same with work that is given up with the loop, or by a signal, whose reason is thrown.
 *
 * @param work - Must not fail; its signal gives it up.
 */
export async function* underWay(items, concurrency, work, signal) {
    const under = new AbortController();
    const stop = () => under.abort(signal?.reason);
    signal?.addEventListener('abort', stop);
    try {
        signal?.throwIfAborted();
        for await (const result of asDone(items, concurrency, (item) => work(item, under.signal))) {
            signal?.throwIfAborted();
            yield result;
        }
    }
    finally {
        signal?.removeEventListener('abort', stop);
        stop();
    }
}
