package step

import "strconv"

const mediaURL = "https://github.com/liuqi-sun/Technologyblog/blob/main/envoy/media/"

// mediaFolder names the folder that holds an article's pictures; "" for an unknown article.
func mediaFolder(article string) string {
	switch article {
	case "network-io":
		return "network_io"
	case "startup":
		return "startup_process"
	case "downstream-connect":
		return "downstream_tcp_connect"
	case "downstream-request":
		return "downstream_tcp_request"
	}
	return ""
}

// URL links the picture where its author published it; "" for an unknown article.
func (f Figure) URL() string {
	folder := mediaFolder(f.Article)
	if folder == "" {
		return ""
	}
	return mediaURL + folder + "/" + strconv.Itoa(f.Number) + ".png"
}

// FigureURLs links every picture that shows the step: those of its own article first, then those
// of the others. It is empty for the steps the series does not show.
func (i *Info) FigureURLs() []string {
	var urls []string
	for _, n := range i.Figures {
		urls = append(urls, Figure{i.Article, n}.URL())
	}
	for _, f := range i.Also {
		urls = append(urls, f.URL())
	}
	return urls
}
