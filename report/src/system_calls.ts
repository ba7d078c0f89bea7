// What a thread waits for in a system call, for people. Numbers are x86-64's.

const names: Readonly<Record<number, string>> = {
  0: "read",
  1: "write",
  7: "poll",
  17: "pread",
  18: "pwrite",
  19: "readv",
  20: "writev",
  23: "select",
  34: "pause",
  35: "sleep",
  42: "connect",
  43: "accept",
  44: "send",
  45: "receive",
  46: "send",
  47: "receive",
  61: "wait for a child",
  73: "file lock",
  74: "fsync",
  75: "fsync",
  87: "unlink",
  202: "lock",
  230: "sleep",
  232: "epoll",
  247: "wait for a child",
  257: "open",
  270: "select",
  271: "poll",
  281: "epoll",
  288: "accept",
  441: "epoll",
};

/** "sleep", "system call 318"; -1 is an unknown one. */
export function systemCallName(call: number): string {
  return call < 0 ? "system call" : (names[call] ?? `system call ${call}`);
}
