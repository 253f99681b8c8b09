package connection_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"envoywalk/internal/walktest"
)

func TestAConnectionThatNobodyRedirectedKeepsItsAddress(t *testing.T) {
	pipe := t.TempDir() + "/c"
	lab := startFilterLab(t, "", any4("a", with("original_dst")), any4("b", "use_original_dst: true"),
		"name: c, address: {pipe: {path: "+pipe+"}}, "+with("original_dst"))
	for _, name := range []string{"a", "b"} {
		c := lab.dial(name)
		c.wantHead(name, "", "", raw)
		c.wantEcho("")
	}
	wantPipeHead(t, pipe, "c")
	lab.stop()
}

const redirectVariable = "ENVOYWALK_TEST_REDIRECT"

// TestARedirectedConnectionIsServedByWhomItWanted runs itself in a network of its own, where it may
// make rules: a client that asks for port 80 is sent to the listener with use_original_dst, and ends at
// the one that is configured for port 80 and not bound.
func TestARedirectedConnectionIsServedByWhomItWanted(t *testing.T) {
	if os.Getenv(redirectVariable) == "" {
		inOwnNetwork(t)
		return
	}
	if err := loopbackUp(); err != nil {
		t.Skip("SKIPPED, no loopback: ", err)
	}
	lab := startFilterLab(t, "", any4("a", "use_original_dst: true"),
		"name: b, bind_to_port: false, address: {socket_address: {address: 0.0.0.0, port_value: 80}}",
		"name: c, address: {socket_address: {address: '::1', port_value: 0}}, use_original_dst: true",
		"name: d, bind_to_port: false, address: {socket_address: {address: '::1', port_value: 80}}")
	for _, one := range []struct {
		family                 byte
		asked, through, served string
	}{
		{unix.AF_INET, "127.0.0.5:80", "a", "b"},
		{unix.AF_INET6, "[::1]:80", "c", "d"},
	} {
		_, port, _ := net.SplitHostPort(lab.address(one.through))
		if err := redirect(one.family, 80, port); err != nil {
			t.Skip("SKIPPED, the kernel makes no rule: ", err)
		}
		c, err := net.DialTimeout("tcp", one.asked, walktest.Patience)
		if err != nil {
			t.Fatal(err)
		}
		client := newClient(t, c)
		client.wantHead(one.served, one.asked, "", raw)
		client.send("payload")
		client.wantEcho("payload")
	}
	lab.stop()
}

// inOwnNetwork runs the calling test again, in a new network namespace.
func inOwnNetwork(t *testing.T) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), redirectVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil && cmd.ProcessState == nil:
		t.Skip("SKIPPED, no network namespace: ", err)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skipf("%s", out)
	}
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// redirect makes the rule `tcp dport PORT redirect to :TO` for connections from this network, in
// nf_tables' own words, because nft need not be installed.
func redirect(family byte, port uint16, to string) error {
	var n uint16
	fmt.Sscan(to, &n)
	const reg1, tcp, l4proto, transport, localOut = 1, 6, unix.NFT_META_L4PROTO, 2, 3
	name, chain := text("walk"), text("out")
	equals := func(value ...byte) []byte {
		return expression("cmp", word(1, reg1), word(2, unix.NFT_CMP_EQ), attribute(3, attribute(1, value)))
	}
	rule := join(
		expression("meta", word(1, reg1), word(2, l4proto)), equals(tcp),
		expression("payload", word(1, reg1), word(2, transport), word(3, 2), word(4, 2)),
		equals(byte(port>>8), byte(port)),
		expression("immediate", word(1, reg1), attribute(2, attribute(1, []byte{byte(n >> 8), byte(n)}))),
		expression("redir", word(1, reg1)))
	dstnat := int32(-100)
	const tables, ack = unix.NFNL_SUBSYS_NFTABLES, unix.NLM_F_CREATE | unix.NLM_F_ACK
	return netfilter(
		message(unix.NFNL_MSG_BATCH_BEGIN, 0, unix.AF_UNSPEC, tables),
		message(tables<<8|unix.NFT_MSG_NEWTABLE, ack, family, 0, attribute(1, name)),
		message(tables<<8|unix.NFT_MSG_NEWCHAIN, ack, family, 0, attribute(1, name), attribute(3, chain),
			attribute(4, word(1, localOut), word(2, uint32(dstnat))), attribute(7, text("nat"))),
		message(tables<<8|unix.NFT_MSG_NEWRULE, ack|unix.NLM_F_APPEND, family, 0, attribute(1, name),
			attribute(2, chain), attribute(4, rule)),
		message(unix.NFNL_MSG_BATCH_END, 0, unix.AF_UNSPEC, tables))
}

// netfilter sends a batch and reads one answer for each of its three acts.
func netfilter(batch ...[]byte) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, join(batch...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	for acts := 3; acts > 0; {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return err
		}
		answers, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return err
		}
		for _, a := range answers {
			if errno := int32(binary.NativeEndian.Uint32(a.Data)); errno != 0 {
				return unix.Errno(-errno)
			}
			acts--
		}
	}
	return nil
}

func message(kind, flags uint16, family byte, resource uint16, attributes ...[]byte) []byte {
	content := join(attributes...)
	b := binary.NativeEndian.AppendUint32(nil, uint32(20+len(content)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, flags|unix.NLM_F_REQUEST)
	b = append(b, make([]byte, 8)...) // sequence, port
	b = binary.BigEndian.AppendUint16(append(b, family, 0), resource)
	return append(b, content...)
}

func expression(name string, data ...[]byte) []byte {
	return attribute(1, attribute(1, text(name)), attribute(2|unix.NLA_F_NESTED, data...))
}

func attribute(kind uint16, content ...[]byte) []byte {
	inside := join(content...)
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(inside)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), inside...)
	return append(b, make([]byte, -len(b)&3)...)
}

func word(kind uint16, value uint32) []byte {
	return attribute(kind, binary.BigEndian.AppendUint32(nil, value))
}

func text(s string) []byte { return append([]byte(s), 0) }

func join(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}
