package step

import "net/url"

const articleURL = "https://github.com/liuqi-sun/Technologyblog/blob/main/envoy/"

// Article is one article of the series.
type Article struct {
	Name    string // the short name that Info.Article holds
	Title   string // as its author calls it
	English string // what that means
	URL     string // where its author published it
}

// ArticleOf returns what is known of an article; its Title is empty for an unknown one.
func ArticleOf(name string) Article {
	a := Article{Name: name}
	switch name {
	case "network-io":
		a.Title, a.English = "网络IO", "Network I/O"
	case "startup":
		a.Title, a.English = "启动过程、ListenSocket相关、线程模型", "Start-up, listen sockets, threads"
	case "downstream-connect":
		a.Title, a.English = "下游tcp连接处理", "Downstream TCP connections"
	case "downstream-request":
		a.Title, a.English = "下游tcp请求处理", "Downstream TCP requests"
	default:
		return a
	}
	a.URL = articleURL + url.PathEscape("Service Mesh数据面sidecar envoy源码分析-"+a.Title+".md")
	return a
}
