/** Turns of the event loop. */

type Later = (callback: () => void) => void;

/** Runs a callback in the next turn of the event loop, when other things had theirs. */
export const inNextTurn: Later = (globalThis as { setImmediate?: Later }).setImmediate ?? viaChannel();

/** In browsers a timer waits for 4 ms, a message does not. */
function viaChannel(): Later {
  const waiting: (() => void)[] = [];
  let channel: MessageChannel | undefined;
  return (callback) => {
    if (channel === undefined) {
      channel = new MessageChannel();
      channel.port1.onmessage = () => waiting.shift()?.();
    }
    waiting.push(callback);
    channel.port2.postMessage(0);
  };
}
