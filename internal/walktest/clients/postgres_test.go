package clients

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"envoywalk/internal/walktest"
)

// postgres is a PostgreSQL on a unix socket and, on a port, the proxy before it.
type postgres struct {
	*proxy
	server *walktest.Process
}

// serverPrograms finds what Debian does not put into the path.
func serverPrograms(t *testing.T) (initdb, server string) {
	t.Helper()
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(folders) > 0 {
		t.Setenv("PATH", os.Getenv("PATH")+":"+folders[len(folders)-1])
	}
	found := need(t, "postgresql", "initdb", "postgres")
	return found[0], found[1]
}

// asPostgres makes the command run as user postgres if this is root, as whom it refuses to run.
func asPostgres(t *testing.T, dir string, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 {
		return cmd
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return cmd
}

// template is a folder with a database that nobody has used: initdb is half of what such a test costs. TestMain
// removes it.
var template string

func initialize(t *testing.T, initdb string) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "clients")
	if err != nil {
		t.Fatal(err)
	}
	create := exec.Command(initdb, "-D", dir+"/data", "-A", "trust", "-U", "walker", "--no-sync", "--no-locale")
	if out, err := asPostgres(t, dir, create).CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	return dir
}

func startPostgres(t *testing.T) *postgres {
	t.Helper()
	initdb, server := serverPrograms(t)
	need(t, "postgresql-client", "psql", "pgbench")
	dir := folder(t)
	data := dir + "/data"
	if template == "" {
		template = initialize(t, initdb)
	}
	copied := asPostgres(t, dir, exec.Command("cp", "-a", template+"/data", data))
	if out, err := copied.CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
	p := &postgres{server: walktest.StartCommand(t, asPostgres(t, dir, exec.Command(server, "-D", data, "-k", dir,
		"-c", "listen_addresses=", "-c", "port=5432", "-F")))}
	t.Cleanup(func() { p.server.Stop(syscall.SIGINT) })
	p.server.WaitFor("database system is ready to accept connections")
	p.proxy = start(t, dir, nil)
	return p
}

// psql is what psql says to one statement through the proxy, or directly.
func (p *postgres) psql(host, stdin, statement string) string {
	p.t.Helper()
	return said(p.t, stdin, "psql", "-X", p.address(host), "-v", "ON_ERROR_STOP=1", "-Atc", statement)
}

const through = "127.0.0.1"

func (p *postgres) address(host string) string {
	if host == through {
		return fmt.Sprintf("host=%s port=%s user=walker dbname=postgres", host, p.ports["postgres"])
	}
	return fmt.Sprintf("host=%s port=5432 user=walker dbname=postgres", host)
}

func TestPsqlGetsTheSameAsWithoutAProxy(t *testing.T) {
	p := startPostgres(t)
	const query = "SELECT i, md5(i::text) FROM generate_series(1, 100000) i"
	if a, b := p.psql(through, "", query), p.psql(p.dir, "", query); a != b || strings.Count(a, "\n") != 100_000 {
		t.Errorf("%d bytes through the proxy, %d without", len(a), len(b))
	}
	var rows strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&rows, "%d,row %d\n", i, i)
	}
	p.psql(through, "", "CREATE TABLE t (i int, s text)")
	p.psql(through, rows.String(), `\copy t FROM STDIN csv`)
	if got := p.psql(p.dir, "", "SELECT count(*), sum(i) FROM t"); got != "100000|4999950000\n" {
		t.Errorf("after the copy the table has %s", got)
	}
	if got := p.psql(through, "", `\copy t TO STDOUT csv`); got != rows.String() {
		t.Errorf("%d bytes came back of the table's %d", len(got), rows.Len())
	}
	p.ends()
}

// A cancel is a connection of its own, which says one thing and is closed by the server.
func TestPsqlCancelsAQueryThroughTheProxy(t *testing.T) {
	p := startPostgres(t)
	waiting := walktest.StartCommand(t, exec.Command("psql", "-X", p.address(through), "-c", "SELECT pg_sleep(600)"))
	p.eventually("the query does not run", func() bool {
		return p.psql(p.dir, "", "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'") == "1\n"
	})
	waiting.Cmd.Process.Signal(syscall.SIGINT)
	waiting.WaitFor("canceling statement due to user request")
	waiting.Wait()
	p.ends()
}

func TestPsqlHearsTheServersLastWords(t *testing.T) {
	p := startPostgres(t)
	c := run(t, "", "psql", "-X", p.address(through), "-c", "SELECT pg_terminate_backend(pg_backend_pid())")
	if c.status == 0 || !strings.Contains(c.err, "terminating connection due to administrator command") ||
		!strings.Contains(c.err, "server closed the connection unexpectedly") {
		t.Errorf("psql ended with %d: %s%s", c.status, c.out, c.err)
	}
	p.ends()
}

func TestPgbenchLosesNoTransaction(t *testing.T) {
	p := startPostgres(t)
	args := []string{"pgbench", "-h", through, "-p", p.ports["postgres"], "-U", "walker"}
	said(t, "", append(args, "-i", "-q", "postgres")...)
	out := said(t, "", append(args, "-n", "-c", "8", "-t", "100", "postgres")...)
	if !strings.Contains(out, "number of transactions actually processed: 800/800") ||
		!strings.Contains(out, "number of failed transactions: 0") {
		t.Error(out)
	}
	p.ends()
}
