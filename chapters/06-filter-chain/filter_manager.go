package filterchain

import (
	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/step"
)

// FilterManager is one connection's filters: those that read, in the order of the configuration,
// and those that write, in the reverse order. It lives on the connection's thread and, as there is
// one for each connection, is small: two lists.
//
// Envoy: Network::FilterManagerImpl (step: filter-manager)
type FilterManager struct {
	connection *connection.Connection
	upstream   *ReadFilterCallbacks  // towards the upstream: the first that reads
	downstream *WriteFilterCallbacks // towards the downstream: the first that sees what is written
}

// filterManagerOf is the connection's filter manager, a new one if it has none yet.
func filterManagerOf(c *connection.Connection) *FilterManager {
	if m, ok := c.Filters.(*FilterManager); ok {
		return m
	}
	m := &FilterManager{connection: c}
	c.Filters = m
	return m
}

// AddReadFilter gives the connection a read filter, behind those that it has.
//
// Envoy: Network::ConnectionImpl::addReadFilter
func AddReadFilter(c *connection.Connection, f ReadFilter) {
	defer c.Lane().Enter(step.ConnectionAddReadFilter).Exit()
	filterManagerOf(c).addReadFilter(f)
}

// AddWriteFilter gives the connection a write filter, before those that it has.
//
// Envoy: Network::ConnectionImpl::addWriteFilter
func AddWriteFilter(c *connection.Connection, f WriteFilter) {
	m := filterManagerOf(c)
	added := &WriteFilterCallbacks{manager: m, filter: f, next: m.downstream}
	f.InitializeWriteFilterCallbacks(added)
	m.downstream = added
}

// initializeReadFilters calls the filters for the first time. It reports whether there are any.
//
// Envoy: Network::ConnectionImpl::initializeReadFilters
func initializeReadFilters(c *connection.Connection) bool {
	defer c.Lane().Enter(step.ConnectionInitializeReadFilters).Exit()
	return filterManagerOf(c).initializeReadFilters()
}

// OnRead is called with each news of the connection's socket.
func (m *FilterManager) OnRead(c *connection.Connection) { onRead(c) }

// onRead decides whether the filters care. The end of the stream they hear of once.
//
// Envoy: Network::ConnectionImpl::onRead
func onRead(c *connection.Connection) {
	defer c.Lane().Enter(step.ConnectionOnRead).Exit()
	if c.InDelayedClose() || !c.FilterChainWantsData() {
		return
	}
	if c.ReadBuffer().Len() == 0 && !c.ReadEndStream() {
		return
	}
	if c.ReadEndStream() && !c.TakeEndStream() {
		return
	}
	filterManagerOf(c).onRead()
}

// addReadFilter tells the filter where it is before it is there, as Envoy does.
//
// Envoy: Network::FilterManagerImpl::addReadFilter
func (m *FilterManager) addReadFilter(f ReadFilter) {
	defer m.connection.Lane().Enter(step.FilterManagerAddReadFilter).Exit()
	added := &ReadFilterCallbacks{manager: m, filter: f}
	f.InitializeReadFilterCallbacks(added)
	end := &m.upstream
	for *end != nil {
		end = &(*end).next
	}
	*end = added
}

// initializeReadFilters lets the first filter know of the connection, and those behind it as far
// as each says Continue.
//
// Envoy: Network::FilterManagerImpl::initializeReadFilters
func (m *FilterManager) initializeReadFilters() bool {
	defer m.connection.Lane().Enter(step.FilterManagerInitializeReadFilters).Exit()
	if m.upstream == nil {
		return false
	}
	m.onContinueReading(nil, m.connection.ReadBuffer(), m.connection.ReadEndStream())
	return true
}

// onRead starts at the first filter.
//
// Envoy: Network::FilterManagerImpl::onRead
func (m *FilterManager) onRead() {
	defer m.connection.Lane().Enter(step.FilterManagerOnRead).Exit()
	m.onContinueReading(nil, m.connection.ReadBuffer(), m.connection.ReadEndStream())
}

// onContinueReading walks the read filters behind from, all of them if it is nil, until one says
// stop or the connection is not open any more. It may have closed the connection when it returns.
// The data is shared: what one filter leaves the next one sees, and so does the next walk.
//
// Envoy: Network::FilterManagerImpl::onContinueReading
func (m *FilterManager) onContinueReading(from *ReadFilterCallbacks, data *buffer.Buffer, endStream bool) {
	defer m.connection.Lane().Enter(step.OnContinueReading).Exit()
	if m.connection.State() != connection.Open {
		return
	}
	next := m.upstream
	if from != nil {
		next = from.next
	} else {
		m.connection.Info.BytesReceived += uint64(data.Len())
	}
	for next != nil && m.read(next, data, endStream) {
		next = next.next
	}
}

// read is one filter's turn: it hears of the connection, once, and then of the data. It reports
// whether the walk goes on.
func (m *FilterManager) read(f *ReadFilterCallbacks, data *buffer.Buffer, endStream bool) bool {
	if !f.initialized && !m.goesOn(f.onNewConnection()) {
		return false
	}
	if data.Len() == 0 && !endStream {
		return true
	}
	return m.goesOn(f.onData(data, endStream))
}

func (m *FilterManager) goesOn(status FilterStatus) bool {
	return status == Continue && m.connection.State() == connection.Open
}

// OnWrite shows the write filters what is to be sent. False: it must not be, because one said stop
// or the connection is not open any more.
//
// Envoy: Network::FilterManagerImpl::onWrite
func (m *FilterManager) OnWrite(c *connection.Connection, data *buffer.Buffer, endStream bool) bool {
	if c.State() != connection.Open {
		return false
	}
	for f := m.downstream; f != nil; f = f.next {
		if !m.goesOn(f.filter.OnWrite(data, endStream)) {
			return false
		}
	}
	c.Info.BytesSent += uint64(data.Len())
	return true
}

// Flush implements connection.Flusher: the first read filter that knows how to end the connection
// without losing a byte does so. Else it closes once what was written is sent.
func (m *FilterManager) Flush() {
	for f := m.upstream; f != nil; f = f.next {
		if knows, ok := f.filter.(connection.Flusher); ok {
			knows.Flush()
			return
		}
	}
	m.connection.Close(connection.FlushWrite)
}
