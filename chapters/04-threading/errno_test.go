package threading

import "testing"

// TestAnErrnoThatAcceptMayGiveOnceEndsNoListener: accept(2) leaves the list of errors open.
func TestAnErrnoThatAcceptMayGiveOnceEndsNoListener(t *testing.T) {
	for _, errno := range []string{"ETIMEDOUT", "ENOSR", "EACCES"} {
		t.Run(errno, func(t *testing.T) {
			t.Parallel()
			s := setup{concurrency: 1, lab: []string{"hold"}, listeners: []string{anyPort("a")}}.start(t)
			at := s.addresses()
			s.tell("script accept4 " + errno + " 0 1")
			dial(t, at["a"])
			s.wantHeld(1)
			s.stop()
		})
	}
}

// TestAPeerProblemThatLastsDoesNotSpin: a firewall may forbid every peer (EPERM).
func TestAPeerProblemThatLastsDoesNotSpin(t *testing.T) {
	s := setup{concurrency: 1, lab: []string{"hold"}, listeners: []string{anyPort("a")}}.start(t)
	at := s.addresses()
	s.tell("script accept4 EPERM 0 1000000000")
	dial(t, at["a"])
	s.WaitFor("pauses accepting: Operation not permitted")
	s.wantIdle()
}
