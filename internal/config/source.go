package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// yamlOption is the file name that positions in --config-yaml carry where it has no better one.
const yamlOption = "--config-yaml"

// loadFile reads and parses the file of -c. The name's end decides the format, as in Envoy:
// .yaml is YAML, .pb and .pb_text are protobuf, everything else is JSON. We also take .yml.
//
// Envoy: MessageUtil::loadFromFile
func loadFile(path string) (*document, error) {
	if e := refuseProtobuf(path); e != nil {
		return nil, e
	}
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml") {
		return parseYAML(path, b)
	}
	return parseJSON(path, b)
}

// refuseProtobuf names the two formats that Envoy reads and we do not.
func refuseProtobuf(path string) error {
	for _, end := range []string{".pb", ".pb_text", ".pb_length_delimited"} {
		if strings.HasSuffix(path, end) {
			s := fmt.Sprintf("Unable to parse file %q as a text protobuf "+
				"(type envoy.config.bootstrap.v3.Bootstrap)", path)
			return &Error{Sentence: s, Pos: Position{File: path},
				Hint: "envoywalk reads .yaml and .json, not " + end +
					": messages point at lines, which protobuf files do not have"}
		}
	}
	return nil
}

// readFile returns the whole file.
// Refuses what Envoy refuses: a path that does not resolve, and /dev, /proc and /sys except
// /dev/fd/N (how a shell hands over `<(...)`). Refuses also what is not a file, and what is
// larger than maxBytes.
//
// Envoy: InstanceImplPosix::fileReadToEnd, illegalPath
func readFile(path string) ([]byte, error) {
	if !strings.HasPrefix(path, "/dev/fd/") {
		if err := checkPath(path); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	return b, nil
}

func checkPath(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return &Error{Sentence: "Invalid path: " + path, Pos: Position{File: path},
			Hint: "unable to read file: " + reason(err)}
	}
	for _, dir := range []string{"/dev", "/sys", "/proc"} {
		if real == dir || strings.HasPrefix(real, dir+"/") {
			return &Error{Sentence: "Invalid path: " + path, Pos: Position{File: path},
				Hint: "a configuration is not read from below " + dir}
		}
	}
	info, err := os.Stat(real)
	if err == nil && info.IsDir() {
		err = errors.New("is a directory")
	} else if err == nil && !info.Mode().IsRegular() {
		err = errors.New("is not a regular file")
	}
	if err != nil {
		return unreadable(path, err)
	}
	return nil
}

func unreadable(path string, err error) error {
	return &Error{Sentence: "unable to read file: " + path, Pos: Position{File: path},
		Hint: reason(err)}
}

// reason is the error without the path that every message carries already.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// clean checks what holds for every source before it is parsed, and takes off a byte order mark.
func clean(file string, b []byte) ([]byte, error) {
	if len(b) > maxBytes {
		return nil, &Error{Sentence: "Unable to convert YAML as JSON: the source is too large",
			Pos:  Position{File: file},
			Hint: fmt.Sprintf("the limit is %d MiB", maxBytes>>20)}
	}
	b = bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF"))
	if !utf8.Valid(b) {
		return nil, &Error{Sentence: "Unable to convert YAML as JSON: not valid UTF-8",
			Pos:  offsetPosition(file, b, invalidAt(b)),
			Hint: "save the file as UTF-8"}
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return nil, &Error{Sentence: "Unable to convert YAML as JSON: NUL character",
			Pos: offsetPosition(file, b, i)}
	}
	return b, nil
}

// invalidAt returns the offset of the first byte that is not UTF-8.
func invalidAt(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

// offsetPosition turns a byte offset into line and column. It reads the source from its start:
// for single messages only.
func offsetPosition(file string, b []byte, offset int) Position {
	b = b[:min(max(offset, 0), len(b))]
	start := bytes.LastIndexByte(b, '\n') + 1
	line := bytes.Count(b, []byte("\n")) + 1
	return Position{file, line, utf8.RuneCount(b[start:]) + 1}
}
