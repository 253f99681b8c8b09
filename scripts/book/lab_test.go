package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestALabThatDoesNotExistIsRefusedAndTheOneThatDoesIsExplained(t *testing.T) {
	for _, args := range []string{"lab", "lab accepts", "lab accept more", "lab accept --workers 0", "lab accept --mode storm",
		"lab accept --connections 100000", "lab accept --rounds 0", "lab accept --nope"} {
		var out, err bytes.Buffer
		if code := invoke(strings.Fields(args), &out, &err); code != couldNotLook || err.Len() == 0 {
			t.Errorf("%q: exit %d, %q", args, code, err.String())
		}
	}
}

func TestTheQuickLabIsQuickAndSaysWhatItMeasuredInEitherForm(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("chapters are for Linux")
	}
	page := filepath.Join(t.TempDir(), "accept.html")
	var out, err bytes.Buffer
	began := time.Now()
	code := invoke([]string{"lab", "accept", "--quick", "--mode", "calm", "--workers", "2", "--html", page, "--lang", "zh"}, &out, &err)
	if code != pass {
		t.Fatalf("exit %d\n%s%s", code, &out, &err)
	}
	t.Logf("%s with building", time.Since(began).Round(time.Millisecond))
	for _, has := range []string{"accept 实验", "worker_1", "exclusive", "空唤醒", "5 次运行里，span 和内核的说法全都一致"} {
		if !strings.Contains(out.String(), has) {
			t.Errorf("no %q in\n%s", has, &out)
		}
	}
	if few, table := strings.Index(out.String(), "只有 1 轮，下不了结论"), strings.Index(out.String(), "worker_0"); few < 0 || few > table {
		t.Errorf("that one round is too few is not said first:\n%s", &out)
	}
	for line := range strings.Lines(out.String()) {
		if columns(strings.TrimRight(line, "，。、；：\n")) > usualWidth || strings.Contains(line, "\x1b") {
			t.Errorf("too wide, or coloured: %q", line)
		}
	}
	if text, _ := os.ReadFile(page); !bytes.Contains(text, []byte(`<html lang="zh">`)) {
		t.Errorf("the page: %.80s", text)
	}
}

func TestTheLabAnswersAProgramInJSON(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("chapters are for Linux")
	}
	var out, err bytes.Buffer
	args := "lab accept --rounds 1 --connections 8 --mode burst --workers 2 --json"
	if code := invoke(strings.Fields(args), &out, &err); code != pass {
		t.Fatalf("exit %d\n%s%s", code, &out, &err)
	}
	var report struct {
		Agree bool `json:"witnesses_agree"`
		Runs  []struct {
			Arrangement string
			Accepted    []int
		}
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil || !report.Agree || len(report.Runs) != 6 {
		t.Errorf("%v, %+v", err, report)
	}
}
