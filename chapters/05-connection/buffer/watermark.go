package buffer

// Watermarks are told when a buffer has become too full and when it has room again, so that whoever
// fills it can pause. Both may use the buffer, and be told again meanwhile.
//
// Envoy: the two callbacks of Buffer::WatermarkBuffer::WatermarkBuffer
type Watermarks interface {
	AboveHigh(b *Buffer) // Len is now greater than high
	BelowLow(b *Buffer)  // Len was above and is now at most half of high, or the limit is gone
}

// SetWatermarks sets the limit; 0 is none. w is told at once where the buffer already is on the
// other side. It is told in turn, AboveHigh first, never the same twice in a row. A nil w leaves
// whom to tell as it was.
//
// Envoy: Buffer::WatermarkBuffer::setWatermarks
func (b *Buffer) SetWatermarks(high int, w Watermarks) {
	if b.high = high; w != nil {
		b.watermarks = w
	}
	b.checkWatermarks()
}

// checkWatermarks follows every change of the length, as its last step: what is told may come back
// in here.
//
// Envoy: Buffer::WatermarkBuffer::checkHighAndOverflowWatermarks and checkLowWatermark
func (b *Buffer) checkWatermarks() {
	switch {
	case !b.above && b.high != 0 && b.length > b.high:
		b.above = true
		b.watermarks.AboveHigh(b)
	case b.above && (b.high == 0 || b.length <= b.high/2):
		b.above = false
		b.watermarks.BelowLow(b)
	}
}

// AboveHighWatermark says that AboveHigh was told and BelowLow not yet.
//
// Envoy: Buffer::WatermarkBuffer::highWatermarkTriggered
func (b *Buffer) AboveHighWatermark() bool { return b.above }
