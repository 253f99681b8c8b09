package mermaid

import (
	"strings"

	"envoywalk/trace/moment"
)

// rankOfCall says how much m is missed; ok is false for what no diagram needs: waits and wake-ups, which the
// arrows stand for, and questions.
func (d *diagram) rankOfCall(m *moment.Moment, at *place) (r rank, ok bool) {
	switch {
	case m.IsAlarming():
		return wrong, true
	case !isTelling(m):
		return 0, false
	case m.Call.Errno == "EAGAIN" || m.Call.Errno == "EINTR":
		return answers, true
	case ofConnection(m):
		return d.rankOf(at, moving), true
	}
	return d.rankOf(at, earlier), true
}

// isTelling: the call makes, names, moves or ends something that the reader knows by its label.
func isTelling(m *moment.Moment) bool {
	switch m.Call.Name {
	case "socket", "bind", "listen", "accept4", "connect", "shutdown":
		return true
	case "epoll_ctl":
		return strings.Contains(m.Call.Args, "EPOLL_CTL_ADD") && !strings.Contains(m.Call.Args, "<wake:")
	case "fcntl":
		return m.Call.Label != "" // a copy of a listening socket
	case "read", "write", "readv", "writev", "recvfrom", "close":
		return m.FDLabel != "" && !strings.HasPrefix(m.FDLabel, "wake:") && !strings.HasPrefix(m.FDLabel, "ep:")
	}
	return false
}

// ofConnection: the fd is a connection's, C1 or C2>echo.
func ofConnection(m *moment.Moment) bool {
	label := m.FDLabel
	if m.Call.Name == "accept4" {
		label = m.Call.Label
	}
	return len(label) > 1 && label[0] == 'C' && label[1] >= '0' && label[1] <= '9'
}
