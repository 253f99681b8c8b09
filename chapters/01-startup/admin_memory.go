package startup

import (
	"net/http"
	"runtime"
	"runtime/metrics"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
)

// memoryUse is Go's own account of its memory, in the places of tcmalloc's. In bytes.
type memoryUse struct {
	inUse    uint64 // objects, dead ones that were not yet swept included
	asked    uint64 // mapped from the kernel, what was given back included
	released uint64 // of that, given back
	free     uint64 // kept, and free for anything
	unused   uint64 // kept for small objects of one size, as tcmalloc's thread caches keep it
}

// readMemory asks without stopping anything.
func readMemory() memoryUse {
	m := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	metrics.Read(m)
	return memoryUse{m[0].Value.Uint64(), m[1].Value.Uint64(), m[2].Value.Uint64(), m[3].Value.Uint64(),
		m[4].Value.Uint64()}
}

// memory collects garbage first, so that two answers can be compared: what is in use is then what is alive.
// Only who asks waits for that.
//
// Envoy: ServerInfoHandler::handlerMemory
func (a *Admin) memory(w http.ResponseWriter, _ *http.Request) {
	runtime.GC()
	m := readMemory()
	a.WriteProtoWithDefaults(w, &adminv3.Memory{Allocated: m.inUse, HeapSize: m.asked,
		PageheapUnmapped: m.released, PageheapFree: m.free, TotalThreadCache: m.unused,
		TotalPhysicalBytes: m.asked - m.released})
}
