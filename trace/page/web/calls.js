// What each system call is for, and what the kernel's refusals mean, in English and in Chinese. A
// learner reads these beside the call, so each says what the call does for the program, not what its
// arguments are.

/** callTable: name of a call -> [English, Chinese]. */
export const callTable = {
  // sockets
  socket: ['Asks the kernel for a new socket and gets its number, the fd. So far it has no address and '
    + 'nobody can reach it.', '向内核要一个新的 socket，拿到它的编号，也就是 fd。这时它还没有地址，谁也连不上它。'],
  socketpair: ['Makes two sockets that are already connected to each other.', '创建一对已经互相连好的 socket。'],
  bind: ['Gives the socket its address. From now on nobody else can have it; but until listen() is called, '
    + 'whoever connects there is refused.', '给 socket 一个地址。从此别人不能再占用这个地址；不过在调用 listen() 之前，来连接的人都会被拒绝。'],
  listen: ['From now on the kernel completes handshakes for this socket by itself and queues the '
    + 'connections until somebody accepts them. The second argument limits the queue.',
    '从这一刻起，内核会自己替这个 socket 完成握手，把连接排进队列，等人来 accept。第二个参数是队列的上限。'],
  accept4: ['Takes one finished connection out of the listening socket\'s queue; the new fd is that '
    + 'connection, non-blocking from its first moment.',
    '从监听 socket 的队列里取出一条已经握手完的连接；得到的新 fd 就是这条连接，从一开始就是非阻塞的。'],
  accept: ['Takes one finished connection out of the listening socket\'s queue; the new fd is that '
    + 'connection.', '从监听 socket 的队列里取出一条已经握手完的连接；得到的新 fd 就是这条连接。'],
  connect: ['Starts a connection to that address. The socket does not block, so the call returns before '
    + 'the other side has answered; epoll tells when it has.',
    '向这个地址发起连接。socket 是非阻塞的，所以不等对方答复就返回；有了结果，epoll 会通知。'],
  getsockname: ['Asks the kernel for the socket\'s own address, for example which port it has chosen for '
    + 'port 0.', '问内核这个 socket 自己的地址，例如端口写 0 时内核究竟选了哪个端口。'],
  getpeername: ['Asks the kernel who is at the other end of the connection.', '问内核连接的另一端是谁。'],
  getsockopt: ['Asks the kernel for a property of the socket.', '向内核查询 socket 的一个属性。'],
  setsockopt: ['Sets a property of the socket.', '设置 socket 的一个属性。'],
  shutdown: ['Ends one direction of the connection and keeps the fd: the other direction still works.',
    '结束连接的一个方向，但保留 fd：另一个方向照常工作。'],
  close: ['Gives the fd back. Its number may be used again at once, for something else; only when the last '
    + 'fd of a socket is closed does the socket itself end.',
    '交还这个 fd。编号随时可能被别的东西再用；指向同一个 socket 的最后一个 fd 关闭时，socket 才真正结束。'],
  // bytes
  read: ['Takes bytes that have arrived. 0 means that the other side will send no more.',
    '取走已经到达的字节。返回 0 表示对方不会再发了。'],
  readv: ['Takes bytes that have arrived, into several pieces of memory at once. 0 means that the other '
    + 'side will send no more.', '取走已经到达的字节，一次放进几块内存。返回 0 表示对方不会再发了。'],
  write: ['Hands bytes to the kernel, which sends them in its own time. It may take fewer than offered.',
    '把字节交给内核，什么时候发由内核决定。内核收下的可能比给的少。'],
  writev: ['Hands several pieces of memory to the kernel in one call, as one row of bytes. It may take '
    + 'fewer than offered.', '一次调用把几块内存交给内核，当作连续的一串字节。内核收下的可能比给的少。'],
  recvfrom: ['Takes bytes that have arrived; with MSG_PEEK it only looks and leaves them where they are.',
    '取走已经到达的字节；带 MSG_PEEK 时只看一眼，字节留在原处。'],
  sendto: ['Hands bytes to the kernel to send over the socket.', '把字节交给内核，由 socket 发出去。'],
  recvmsg: ['Takes bytes that have arrived, and what came along with them, such as passed fds.',
    '取走已经到达的字节，连同附带的东西，例如传过来的 fd。'],
  sendmsg: ['Hands bytes to the kernel, with extras such as fds to pass on.', '把字节交给内核，可以附带要传递的 fd。'],
  recvmmsg: ['Takes several messages in one call.', '一次调用收取多条消息。'],
  sendmmsg: ['Sends several messages in one call.', '一次调用发送多条消息。'],
  recv: ['Takes bytes that have arrived.', '取走已经到达的字节。'],
  send: ['Hands bytes to the kernel to send.', '把字节交给内核去发送。'],
  sendfile: ['Sends a piece of a file without carrying it through the program.', '直接把文件的一段发出去，不经过程序的内存。'],
  splice: ['Moves bytes between two fds inside the kernel.', '在内核里把字节从一个 fd 搬到另一个。'],
  pread64: ['Reads from a place in a file.', '从文件的指定位置读。'],
  pwrite64: ['Writes to a place in a file.', '写到文件的指定位置。'],
  ioctl: ['Asks the kernel something special about an fd, here for example how many bytes are still '
    + 'unsent.', '就某个 fd 问内核一件特别的事，例如还有多少字节没有发出去。'],
  // waiting
  epoll_create1: ['Makes an epoll set: the list of fds about which this thread\'s loop wants to be told.',
    '创建一个 epoll 集合：列出这个线程的循环关心哪些 fd。'],
  epoll_create: ['Makes an epoll set: the list of fds about which a loop wants to be told.',
    '创建一个 epoll 集合：列出某个循环关心哪些 fd。'],
  epoll_ctl: ['Changes the list of fds that an epoll set watches.', '修改 epoll 集合监听的 fd。'],
  epoll_pwait: ['Sleeps until one of the watched fds is ready, or the time given is over. Here, and only '
    + 'here, the loop rests.', '一直睡到所监听的某个 fd 就绪，或者给定的时间用完。循环只在这里休息。'],
  epoll_wait: ['Sleeps until one of the watched fds is ready, or the time given is over.',
    '一直睡到所监听的某个 fd 就绪，或者给定的时间用完。'],
  epoll_pwait2: ['Sleeps until one of the watched fds is ready, or the time given is over.',
    '一直睡到所监听的某个 fd 就绪，或者给定的时间用完。'],
  eventfd2: ['Makes an eventfd, a counter with an fd. The loop watches it, so that another thread can wake '
    + 'the loop by writing to it.', '创建一个 eventfd，即带 fd 的计数器。循环监听着它，别的线程往里一写，就能把循环唤醒。'],
  eventfd: ['Makes a counter with an fd, mostly to wake a loop from another thread.',
    '创建一个带 fd 的计数器，多半用来从别的线程唤醒某个循环。'],
  poll: ['Sleeps until one of the fds named in the call is ready.', '一直睡到参数列出的某个 fd 就绪。'],
  ppoll: ['Sleeps until one of the fds named in the call is ready.', '一直睡到参数列出的某个 fd 就绪。'],
  select: ['Sleeps until one of the fds named in the call is ready.', '一直睡到参数列出的某个 fd 就绪。'],
  pselect6: ['Sleeps until one of the fds named in the call is ready.', '一直睡到参数列出的某个 fd 就绪。'],
  futex: ['How threads wait for each other: a lock or a condition sleeps here, or wakes one that does.',
    '线程之间互相等待的办法：锁或条件变量在这里睡眠，或者唤醒睡着的那个。'],
  nanosleep: ['Sleeps for a while.', '睡一会儿。'],
  clock_nanosleep: ['Sleeps for a while, or until a given moment.', '睡一会儿，或者睡到某个时刻。'],
  timerfd_create: ['Makes a timer that has an fd, so that a loop can watch it.', '创建一个带 fd 的定时器，循环可以监听它。'],
  timerfd_settime: ['Sets when such a timer runs out.', '设定这种定时器何时到期。'],
  // fds and files
  fcntl: ['Asks or changes something about an fd.', '查询或修改 fd 的某个性质。'],
  dup: ['Makes a second fd for the same thing.', '给同一个东西再开一个 fd。'],
  dup2: ['Makes a chosen number an fd for the same thing.', '让指定的编号也指向同一个东西。'],
  dup3: ['Makes a chosen number an fd for the same thing.', '让指定的编号也指向同一个东西。'],
  pipe2: ['Makes a pipe: what is written at one end is read at the other.', '创建管道：一端写入，另一端读出。'],
  openat: ['Opens a file and gets an fd for it.', '打开一个文件，得到它的 fd。'],
  open: ['Opens a file and gets an fd for it.', '打开一个文件，得到它的 fd。'],
  unlinkat: ['Removes a name from the file system: here the file of an old unix socket, so that a new one '
    + 'can have its path.', '从文件系统里删掉一个名字：这里是旧的 unix socket 文件，好让新的用这个路径。'],
  unlink: ['Removes a name from the file system.', '从文件系统里删掉一个名字。'],
  fchmodat: ['Says who may use a file: here the file of a unix socket.', '规定谁可以使用这个文件：这里是 unix socket 的文件。'],
  fstat: ['Asks what an fd or a file is.', '查询一个 fd 或文件的信息。'],
  newfstatat: ['Asks what an fd or a file is.', '查询一个 fd 或文件的信息。'],
  statx: ['Asks what an fd or a file is.', '查询一个 fd 或文件的信息。'],
  lseek: ['Moves to another place in a file.', '移到文件的另一个位置。'],
  getdents64: ['Lists what is in a folder.', '列出目录里有什么。'],
  // threads, memory, signals: in imported traces
  prctl: ['Gives this thread its name, the one that ps, top and a debugger show.',
    '给本线程起名字；ps、top 和调试器里看到的就是它。'],
  gettid: ['Asks the kernel for this thread\'s number.', '向内核查询本线程的编号。'],
  getpid: ['Asks the kernel for the process\'s number.', '向内核查询进程的编号。'],
  clone: ['Makes a new thread or a new process.', '创建一个新的线程或进程。'],
  clone3: ['Makes a new thread or a new process.', '创建一个新的线程或进程。'],
  execve: ['Replaces the program that runs in this process.', '换上另一个程序，在本进程里运行。'],
  exit: ['This thread ends.', '本线程结束。'],
  exit_group: ['The whole process ends.', '整个进程结束。'],
  wait4: ['Waits for a child process to end.', '等待子进程结束。'],
  kill: ['Sends a signal to a process.', '给进程发一个信号。'],
  tgkill: ['Sends a signal to one thread.', '给某个线程发一个信号。'],
  rt_sigaction: ['Says what shall happen when a signal comes.', '规定收到某个信号时怎么办。'],
  rt_sigprocmask: ['Says which signals have to wait.', '规定哪些信号先不处理。'],
  rt_sigreturn: ['Returns from the handling of a signal.', '信号处理完，返回原处。'],
  sched_yield: ['Lets another thread have the processor.', '把处理器让给别的线程。'],
  sched_getaffinity: ['Asks on which processors this thread may run.', '查询本线程可以在哪些处理器上运行。'],
  prlimit64: ['Asks or changes a limit, such as how many fds there may be.', '查询或修改一项限制，例如最多能有多少个 fd。'],
  mmap: ['Asks for memory, or lays a file into memory.', '申请内存，或者把文件映射进内存。'],
  munmap: ['Gives memory back.', '归还内存。'],
  mprotect: ['Changes what may be done with a piece of memory.', '修改一块内存的访问权限。'],
  madvise: ['Tells the kernel how a piece of memory will be used.', '告诉内核一块内存将怎样使用。'],
  brk: ['Asks for more memory.', '申请更多内存。'],
  getrandom: ['Asks for random bytes.', '要一些随机字节。'],
  clock_gettime: ['Asks for the time.', '查询时间。'],
  uname: ['Asks which kernel this is.', '查询内核的名称和版本。'],
};

/** callByArgument: what a call is for when its arguments say more. The first match wins. */
export const callByArgument = [
  ['fcntl', 'F_DUPFD', ['Makes a second fd for the same socket. Each worker so has an fd of its own, while '
    + 'the kernel keeps one queue for all of them.', '给同一个 socket 再开一个 fd。这样每个 worker 都有自己的 fd，而内核里的队列只有一个。'
    + '']],
  ['fcntl', 'F_SETFL', ['Changes how the fd behaves, mostly to make it non-blocking.',
    '改变 fd 的行为，多半是设成非阻塞。']],
  ['fcntl', 'F_GETFL', ['Asks how the fd behaves, for example whether it blocks.', '查询 fd 的行为，例如会不会阻塞。']],
  ['epoll_ctl', 'EPOLL_CTL_ADD', ['From now on this epoll set watches the fd, and the loop\'s next wait '
    + 'ends when one of the named events comes.', '从此这个 epoll 集合开始监听该 fd；列出的事件一来，循环的等待就结束。']],
  ['epoll_ctl', 'EPOLL_CTL_MOD', ['Changes for which events the epoll set watches the fd.',
    '修改 epoll 集合监听这个 fd 的哪些事件。']],
  ['epoll_ctl', 'EPOLL_CTL_DEL', ['The epoll set stops watching the fd. This comes before its close.',
    'epoll 集合不再监听这个 fd；先做这一步，再关闭它。']],
  ['getsockopt', 'SO_ERROR', ['Asks how the connect has ended: 0 means that the connection stands, '
    + 'anything else is why it does not.', '问 connect 的结果：0 表示连上了，其他值就是没连上的原因。']],
  ['getsockopt', 'SO_ORIGINAL_DST', ['Asks where the client wanted to go before the firewall sent it '
    + 'here.', '问客户端原本要去哪里：它是被防火墙转到这里来的。']],
  ['getsockopt', 'TCP_INFO', ['Asks the kernel how this TCP connection is doing.', '问内核这条 TCP 连接的状况。']],
  ['setsockopt', 'SO_REUSEADDR', ['Lets the address be used again at once after a restart, although old '
    + 'connections of it may still be dying away.', '重启后可以马上再用这个地址，哪怕旧连接还没有完全消失。']],
  ['setsockopt', 'SO_REUSEPORT', ['Lets several sockets have the same address; the kernel shares new '
    + 'connections out among them, a queue for each.', '允许几个 socket 用同一个地址；新连接由内核分给它们，各有各的队列。']],
  ['setsockopt', 'TCP_NODELAY', ['Small pieces are sent at once instead of being gathered first.',
    '小块数据马上发出，不先攒在一起。']],
  ['setsockopt', 'TCP_FASTOPEN', ['Lets a client send its first bytes together with its handshake.',
    '允许客户端在握手的同时就送来第一批字节。']],
  ['setsockopt', 'IPV6_V6ONLY', ['Says whether an IPv6 socket takes IPv4 clients too.',
    '规定 IPv6 的 socket 是否也接 IPv4 的客户端。']],
  ['setsockopt', 'SO_LINGER', ['Says how close() treats bytes that are not sent yet; with 0 the other side '
    + 'gets a reset.', '规定 close() 怎么处理还没发出去的字节；设为 0 时，对方会收到 RST。']],
  ['setsockopt', 'SO_KEEPALIVE', ['Lets the kernel ask a silent peer from time to time whether it still '
    + 'lives.', '让内核不时问一问久不说话的对端是否还在。']],
  ['setsockopt', 'TRANSPARENT', ['Lets the socket use an address that is not this machine\'s own.',
    '允许 socket 使用不属于本机的地址。']],
  ['setsockopt', 'FREEBIND', ['Lets the socket be bound to an address that this machine does not have '
    + 'yet.', '允许 socket 绑定本机还没有的地址。']],
  ['shutdown', 'SHUT_WR', ['We have finished sending: the other side will read 0. It may go on sending to '
    + 'us.', '我们发完了：对方会读到 0，但仍然可以继续发给我们。']],
  ['recvfrom', 'MSG_PEEK', ['Looks at what has arrived without taking it: whoever reads next finds the '
    + 'same bytes.', '看一眼到了什么，但不取走：之后来读的人，读到的还是这些字节。']],
  ['ioctl', 'OUTQ', ['Asks how many bytes the other side has not acknowledged yet.', '问还有多少字节没有得到对方确认。']],
];

/** callOnWake: the same calls on the eventfd by which a loop is woken. */
export const callOnWake = {
  write: ['Wakes {0}: the eventfd becomes readable, so the wait of that loop returns. The 8 bytes are only '
    + 'a number to add.', '唤醒 {0}：eventfd 变得可读，那个循环的等待就返回了。这 8 个字节只是要加上去的一个数。'],
  read: ['Empties the eventfd, so that it is not ready again at once. All wakes until now count as one.',
    '把 eventfd 清空，免得它马上又就绪。到目前为止的所有唤醒，只算一次。'],
  close: ['Gives back the eventfd: nobody can wake this loop any more.', '交还 eventfd：再没有谁能唤醒这个循环了。'],
};

/** errnoTable: what the kernel means by it. The first three are answers, not failures. */
export const errnoTable = {
  EAGAIN: ['EAGAIN is an answer, not a failure: there is nothing now. Since the fd does not block, the '
    + 'loop goes on and epoll will tell when there is.',
    'EAGAIN 是答复，不是失败：现在没有。fd 是非阻塞的，循环可以去做别的，等有了 epoll 会通知。'],
  EINPROGRESS: ['EINPROGRESS is an answer, not a failure: the connection is under way. WRITE readiness '
    + 'will tell how it ended.', 'EINPROGRESS 是答复，不是失败：正在连接。等 fd 可写，就知道结果了。'],
  EINTR: ['EINTR: a signal came while it waited, mostly one that the Go runtime sends itself. The loop '
    + 'works out anew how long to wait, and waits again.', 'EINTR：等待时来了信号，多半是 Go 运行时发给自己的。循环重新算好该等多久，再等。'],
  importedEINTR: ['EINTR: a signal came while it waited.', 'EINTR：等待时来了信号。'],
  ECONNREFUSED: ['Refused: nobody listens at that address.', '被拒绝：那个地址没有人在监听。'],
  ECONNRESET: ['The other side broke the connection off; what was on its way is lost.',
    '对方强行断开了连接；还在路上的字节丢了。'],
  EPIPE: ['The other side will take no more bytes.', '对方不再接收字节了。'],
  ETIMEDOUT: ['Nobody answered in time.', '等了很久，没有人答复。'],
  EADDRINUSE: ['Somebody else has this address already.', '这个地址已经被别人占用。'],
  EADDRNOTAVAIL: ['This machine does not have that address, or has no port left for it.',
    '本机没有这个地址，或者已经没有可用的端口。'],
  EACCES: ['Not allowed, for example a port below 1024 without the right to it.', '没有权限，例如无权使用 1024 以下的端口。'],
  EPERM: ['Not allowed.', '没有权限。'],
  EMFILE: ['This process has no fd left. The connection stays in the queue; trying again at once would '
    + 'only burn the processor, so it pauses.', '本进程的 fd 用完了。连接还在队列里；马上重试只会空耗处理器，所以先歇一下。'],
  ENFILE: ['The whole machine has no fd left.', '整台机器的 fd 用完了。'],
  ENOBUFS: ['The kernel has no memory for it.', '内核没有内存给它了。'],
  ENOMEM: ['The kernel has no memory for it.', '内核没有内存给它了。'],
  ECONNABORTED: ['The client left before it was accepted: its place in the queue was empty.',
    '还没 accept，客户端就走了：队列里这个位置是空的。'],
  EBADF: ['That number is no open fd.', '这个编号不是打开的 fd。'],
  EINVAL: ['The kernel finds that the request makes no sense here, such as accept on a socket that does '
    + 'not listen.', '内核认为这个请求在这里说不通，例如在没有监听的 socket 上 accept。'],
  ENOENT: ['There is no such file, or the fd was not being watched.', '没有这个文件，或者这个 fd 本来就没有被监听。'],
  EEXIST: ['It is there already.', '已经存在。'],
  ENOTCONN: ['The connection does not stand any more, or not yet.', '连接已经不在了，或者还没连上。'],
  EHOSTUNREACH: ['There is no way to that machine.', '到不了那台机器。'],
  ENETUNREACH: ['There is no way to that network.', '到不了那个网络。'],
  ENOPROTOOPT: ['The kernel does not know this option.', '内核不认识这个选项。'],
  EOPNOTSUPP: ['This kind of socket cannot do that.', '这种 socket 做不了这件事。'],
  EALREADY: ['A connect is under way already.', '已经在连接了。'],
  EISCONN: ['It is connected already.', '已经连上了。'],
};
