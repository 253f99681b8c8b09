package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadLaysArticleGoAndEnvoyBesideEachOther(t *testing.T) {
	d := newDesk(t)
	d.says(pass, "read 03 setupSocket", "Configured options first, then bind", "func setupSocket(",
		"chapters/03-bind/listen_socket.go:", "Envoy::Network::ListenSocketImpl::setupSocket",
		"https://github.com/envoyproxy/envoy/blob/v1.17.0/source/common/network/listen_socket_impl.cc#L", "Technologyblog")
	d.says(pass, "read 03 1 --lang zh", "先设配置里的选项")
	d.says(couldNotLook, "read 03 nonsense", "has no step")
	d.says(couldNotLook, "read 99", "no chapter")
	d.says(couldNotLook, "read", "go tool book read NN")
	t.Setenv("COLUMNS", "160")
	text := d.says(pass, "read 03 setupSocket", "┊ Envoy")
	for line := range strings.Lines(text) {
		if columns(line) > 161 && !strings.Contains(line, "https://") {
			t.Errorf("%d columns: %s", columns(line), line)
		}
	}
	t.Setenv("PAGER", "cat")
	d.says(pass, "read 03 setupSocket --pager", "func setupSocket(")
	t.Setenv("PAGER", "/nonsense/pager")
	d.says(couldNotLook, "read 03 setupSocket --pager")
}

func TestReadGivesTheAddressOfAnArticleOnce(t *testing.T) {
	d := newDesk(t)
	text := d.says(pass, "read 05", "told in 2 articles; each heading says in which", "(Downstream TCP connections)\n",
		"article 下游tcp连接处理  |  Server::ActiveTcpSocket创建\n", "article 下游tcp请求处理  |  四 / 1 读取accept数据\n")
	if n := strings.Count(text, "%E4%B8%8B%E6%B8%B8tcp%E8%BF%9E%E6%8E%A5"); n != 1 {
		t.Errorf("its address is there %d times", n)
	}
	d.says(pass, "read 03 --lang zh", "下面的内容出自一篇文章：", "文章 启动过程、ListenSocket相关、线程模型  |  二")
}

func TestReadWritesPagesThatLeadToEachOther(t *testing.T) {
	d := newDesk(t)
	path := strings.TrimSpace(d.says(pass, "read 03 --html"))
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"02-listen-socket.html", "04-threading.html", "03-bind.zh.html", "../../chapters/03-bind/README.md"} {
		if !strings.Contains(string(page), `href="`+link+`"`) {
			t.Errorf("it has no link to %s", link)
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), link)); err != nil {
			t.Error(err)
		}
	}
	d.says(pass, "read 03 setupSocket --html --lang zh", "03-bind.zh.html#setup-socket")
	d.says(couldNotLook, "read 03 nonsense --html", "has no step")
}
