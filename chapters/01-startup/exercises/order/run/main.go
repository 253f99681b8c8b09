// Command run is chapter 01 with two callbacks of its own. The one of StagePostInit keeps its done until
// SIGUSR1, so that there is time to look at a server in the middle of its start. That of StageStartup, and
// whoever asks for the workers, each add 1 to an eventfd: startup, workers.
package main

import (
	"os"
	"os/signal"
	"syscall"

	startup "envoywalk/chapters/01-startup"
	"envoywalk/internal/kernel"
)

func main() {
	s := startup.Wire()
	listeners := s.ListenerManager
	s.ListenerManager = func(i *startup.Instance) startup.ListenerManager {
		register(i)
		return &asked{listeners(i), i, eventfd(i, "workers")}
	}
	os.Exit(s.Main(os.Args))
}

func eventfd(i *startup.Instance, name string) int {
	fd, errno := kernel.Eventfd(i.Lane())
	if errno != 0 {
		panic(errno)
	}
	i.Lane().Label(fd, name)
	return fd
}

// register happens while the server is built, on main.
func register(i *startup.Instance) {
	goOn := make(chan os.Signal, 1)
	signal.Notify(goOn, syscall.SIGUSR1)
	i.RegisterCallback(startup.StagePostInit, func(done func()) {
		go func() {
			<-goOn
			i.Dispatcher.PostOutside(nil, "done", done)
		}()
	})
	told := eventfd(i, "startup")
	i.RegisterCallback(startup.StageStartup, func(done func()) {
		kernel.EventfdWrite(i.Lane(), told)
		done()
	})
}

// asked is chapter 01's listener manager, and a count of how often workers were asked for.
type asked struct {
	startup.ListenerManager
	instance *startup.Instance
	fd       int
}

func (a *asked) StartWorkers(done func()) {
	kernel.EventfdWrite(a.instance.Lane(), a.fd)
	a.ListenerManager.StartWorkers(done)
}
