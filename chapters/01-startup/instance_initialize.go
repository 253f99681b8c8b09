package startup

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"envoywalk/internal/config"
	"envoywalk/internal/kernel"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
)

// initialize does everything before run, in Envoy's order. Nothing here waits for anybody.
//
// Envoy: Server::InstanceImpl::initialize
func (i *Instance) initialize() (err error) {
	defer i.Lane().Enter(step.InstanceInitialize).Exit()
	i.announce()
	if err := i.loadBootstrap(); err != nil {
		return err
	}
	i.server = newServerStats(i)
	i.node = localInfo(i.Bootstrap().GetNode(), i.Options)
	i.HotRestart.SendParentAdminShutdownRequest()
	i.Admin = newAdmin(i)
	i.loadServerFlags()
	i.Overload = i.Seams.OverloadManager(i)
	// Workers first, so that they are there for every thread-local update that follows.
	i.ListenerManager = i.Seams.ListenerManager(i)
	i.ThreadLocal.RegisterThread(i.Lane(), i.Dispatcher)
	if i.Bootstrap().GetEnableDispatcherStats() {
		i.Dispatcher.InitializeStats(i.Stats.Scope("server."))
	}
	if err := i.startAdmin(); err != nil {
		return err
	}
	if i.Runtime, err = newRuntime(i); err != nil {
		return err
	}
	main := &mainConfig{instance: i}
	if err := main.initialize(); err != nil {
		return err
	}
	i.startFlushing(main.flushInterval)
	i.MainGuardDog = NewGuardDog(i, "main_thread", main.mainWatchdog)
	i.WorkersGuardDog = NewGuardDog(i, "workers", main.workersWatchdog)
	return nil
}

// announce says what this process is, and what was linked into it.
func (i *Instance) announce() {
	i.main.Info("initializing epoch %d (base id=%d, hot restart version=%s)",
		i.Options.RestartEpoch, i.Options.BaseID, i.HotRestart.Version())
	i.main.Info("statically linked extensions:")
	for _, line := range config.Extensions() {
		i.main.Info("  %s", line)
	}
}

func (i *Instance) loadBootstrap() (err error) {
	if i.Config, err = config.Load(i.Options.loading()); err != nil {
		return err
	}
	if err = checkStatic(i.Config, &i.Seams.Chapter); err != nil {
		return err
	}
	for _, f := range i.Config.Unknown {
		i.main.Warn("Unknown field: %s (at %s)", f.What, f.Pos)
	}
	i.tellLater()
	return nil
}

// loadServerFlags: a file named drain in flags_path makes the server start as unhealthy.
//
// Envoy: Server::InstanceImpl::loadServerFlags
func (i *Instance) loadServerFlags() {
	dir := i.Bootstrap().GetFlagsPath()
	if dir == "" {
		return
	}
	i.main.Info("server flags path: %s", dir)
	if _, err := os.Stat(filepath.Join(dir, "drain")); err == nil {
		i.main.Info("starting server in drain mode")
		i.server.fail(true)
	}
}

// startAdmin binds and listens on main, before any static listener: a server whose configuration
// is broken can still be asked what is wrong.
func (i *Instance) startAdmin() error {
	a := i.Bootstrap().GetAdmin()
	if a.GetAddress() == nil {
		i.main.Warn("No admin address given, so no admin HTTP server started.")
		i.unwatched()
		return nil
	}
	address, err := network.Resolve(a.GetAddress())
	if err != nil {
		return i.At(err, "admin.address", "")
	}
	i.main.Info("admin address: %s", address)
	if err := i.Admin.openAccessLogs(); err != nil {
		return err
	}
	bound, err := i.Handler.AddAdminListener(address, i.Admin.serve)
	if err != nil {
		hint := Remedy(err, a.GetAddress())
		if errors.Is(err, kernel.EADDRINUSE) {
			hint = "somebody has the admin's address already (ss -ltnp or ss -lx shows who): another server?"
		}
		return i.At(err, "admin.address", hint)
	}
	i.writeAdminAddress(bound)
	i.Admin.start(bound)
	return nil
}

// writeAdminAddress tells other programs where the admin is. As in Envoy the server goes on where
// it cannot.
func (i *Instance) writeAdminAddress(bound *network.Address) {
	path := i.Options.AdminAddressPath
	if path == "" {
		return
	}
	if err := os.WriteFile(path, []byte(bound.String()), 0o644); err != nil {
		i.main.Critical("cannot open admin address output file %s for writing.", path)
	}
}

// startFlushing arms the timer by which stats sinks and the interval half of histograms are fed.
func (i *Instance) startFlushing(every time.Duration) {
	i.flush = i.Dispatcher.CreateTimer("stats flush", func() {
		i.updateServerStats()
		i.Stats.Flush()
		i.flush.Enable(every)
	})
	i.flush.Housekeeping = true
	i.flush.Enable(every)
}
