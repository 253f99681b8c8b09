// Package startup is chapter 01: from main to a server whose main loop runs.
//
// It follows the article's first part: main, MainCommon, MainCommonBase, the one InstanceImpl
// with its long initialize, and run. What it leaves open stands in seams.go: listeners are
// chapter 02's, workers chapter 04's, clusters chapter 06's.
package startup

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"envoywalk/internal/config"
	"envoywalk/internal/kernel"
	"envoywalk/internal/log"
	"envoywalk/internal/stats"
	"envoywalk/internal/step"
	"envoywalk/trace"
	"envoywalk/trace/sink"
)

// The main goroutine must be the process's main thread for its tid to be the pid, and only before
// main begins can that be had.
func init() { runtime.LockOSThread() }

// Main is a chapter's binary: it returns the exit status. args[0] is the program's name.
//
// Envoy: main, in exe/main.cc
func (s *Seams) Main(args []string) int {
	kernel.IgnoreSIGPIPE()
	t, err := openTrace(s.Chapter, args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	lane := t.recorder.Thread("main_thread", kernel.Gettid(), 0)
	code := s.main(lane, t, args)
	releaseSignals() // nothing is left to shut down: a second SIGTERM may end a trace nobody reads
	lane.End()
	t.demo.wait()
	code = t.close(code)
	if t.demo.finished() && code == 0 && sink.Readable(t.demo.Instance.Options.Trace) {
		fmt.Print(t.demo.epilogue(s.Chapter))
	}
	return code
}

func (s *Seams) main(lane *trace.Lane, t *tracing, args []string) int {
	defer lane.EnterStory(trace.StoryStartup, step.Main).Exit()
	return s.mainCommonMain(lane, t, args)
}

// mainCommonMain turns what construction throws into an exit status. What run meets is not
// caught: a server that serves and then fails should be seen to fail.
//
// Envoy: MainCommon::main
func (s *Seams) mainCommonMain(lane *trace.Lane, t *tracing, args []string) int {
	defer lane.Enter(step.MainCommonMain).Exit()
	m, err := newMainCommon(lane, s, t, args)
	var noServing *noServing
	switch {
	case errors.As(err, &noServing):
		fmt.Fprint(os.Stdout, noServing.text)
		return 0
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if !m.run(lane) {
		return 1
	}
	return 0
}

// MainCommon is the command line and what it starts.
//
// Envoy: MainCommon
type MainCommon struct {
	options *Options
	base    *MainCommonBase
}

// Envoy: MainCommon::MainCommon
func newMainCommon(lane *trace.Lane, s *Seams, t *tracing, args []string) (*MainCommon, error) {
	defer lane.Enter(step.MainCommonCtor).Exit()
	options, err := ParseOptions(s.Chapter, args)
	if err != nil {
		return nil, err
	}
	base, err := newMainCommonBase(lane, s, t, options)
	if err != nil {
		return nil, err
	}
	return &MainCommon{options, base}, nil
}

// Envoy: MainCommon::run
func (m *MainCommon) run(lane *trace.Lane) bool {
	defer lane.Enter(step.MainCommonRun).Exit()
	return m.base.run(lane)
}

// MainCommonBase holds what outlives the server: the restarter, thread-local storage, the log,
// the stats.
//
// Envoy: MainCommonBase
type MainCommonBase struct {
	options *Options
	log     *log.Logger
	server  *Instance
}

// newMainCommonBase builds the server, except in mode validate, where run does all there is to do.
//
// Envoy: MainCommonBase::MainCommonBase
func newMainCommonBase(lane *trace.Lane, s *Seams, t *tracing, o *Options) (*MainCommonBase, error) {
	defer lane.Enter(step.MainCommonBaseCtor).Exit()
	logger, err := newLogger(o)
	if err != nil {
		return nil, err
	}
	b := &MainCommonBase{options: o, log: logger}
	if o.Mode == Validate {
		return b, nil
	}
	if b.server, err = newInstance(lane, s, t, o, logger); err != nil {
		logger.Close()
		return nil, err
	}
	return b, nil
}

// run reports whether all went well. InitOnly has nothing left to do: the instance is built, its
// sockets are bound, and nothing but the admin listens.
//
// Envoy: MainCommonBase::run
func (b *MainCommonBase) run(lane *trace.Lane) bool {
	defer lane.Enter(step.MainCommonBaseRun).Exit()
	defer b.log.Close()
	switch b.options.Mode {
	case Serve:
		return b.server.Run()
	case Validate:
		return validateConfig(lane, b.options, b.log, os.Stdout)
	case InitOnly:
		b.server.terminate()
	}
	return true
}

// validateConfig loads and checks a configuration without a socket, a worker or an admin.
//
// Envoy: Server::validateConfig
func validateConfig(lane *trace.Lane, o *Options, logger *log.Logger, out io.Writer) bool {
	defer lane.Enter(step.ValidateConfig).Exit()
	main := logger.Component(log.Main)
	result, err := config.Load(o.loading())
	if err == nil {
		err = checkStatic(result, &o.chapter)
	}
	if err != nil {
		main.Critical("error initializing configuration '%s': %v", o.ConfigPath, sentence(err))
		fmt.Fprintln(os.Stderr, err)
		return false
	}
	fmt.Fprintf(out, "configuration '%s' OK\n", o.ConfigPath)
	return true
}

func newLogger(o *Options) (*log.Logger, error) {
	logger, err := log.New(os.Stderr, kernel.Gettid), error(nil)
	if o.LogPath != "" {
		if logger, err = log.Open(o.LogPath, kernel.Gettid); err != nil {
			return nil, err
		}
	}
	logger.SetLevel(o.LogLevel)
	if err = logger.SetFormat(o.LogFormat, o.LogFormatEscaped); err == nil {
		err = logger.SetComponentLevel(o.ComponentLogLevel)
	}
	if err != nil {
		logger.Close()
		return nil, err
	}
	return logger, nil
}

// api stands for the platform services that Envoy bundles: threads, files, time, stats. Go brings
// most of them along; what is left is the stats store and the maker of dispatchers.
//
// Envoy: Api::Impl
type api struct {
	stats    *stats.Store
	recorder *trace.Recorder
}

// Envoy: Api::Impl::Impl
func newAPI(lane *trace.Lane, recorder *trace.Recorder) *api {
	defer lane.Enter(step.ApiImplCtor).Exit()
	return &api{stats.NewStore(), recorder}
}
