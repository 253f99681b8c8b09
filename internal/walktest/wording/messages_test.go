package wording

// message is one sentence of Envoy 1.17.0's, {} where a value stands.
type message struct {
	sentence string
	why      string // nothing here can produce it: the reason
}

// The sentences, in the order in which a beginner meets them.
const (
	noConfig = "At least one of --config-path or --config-yaml or Options::configProto() should be non-empty"

	unknownMode      = "error: unknown mode '{}'"
	badLevel         = "error: invalid log level specified '{}'"
	badComponent     = "error: invalid component specified '{}'"
	badComponentList = "error: component log level not correctly specified '{}'"
	epochAndDynamic  = "error: cannot use --restart-epoch={} with --use-dynamic-base-id"
	parseError       = "PARSE ERROR: Argument: {}"

	unreadable  = "unable to read file: {}"
	invalidPath = "Invalid path: {}"
	yamlSyntax  = "yaml-cpp: error at line {}, column {}: {}"
	notAMap     = "Unable to convert YAML as JSON: {}"
	wrongType   = "Unable to parse JSON as proto (INVALID_ARGUMENT:({}): {}): {}"
	// wrongTypeAtRoot is wrongType where Envoy's parser has no path to print.
	wrongTypeAtRoot = "Unable to parse JSON as proto (INVALID_ARGUMENT:: Root element must be a message.): {}"

	unknownField     = "Protobuf message (type {} reason INVALID_ARGUMENT:{}: Cannot find field.) has unknown fields"
	warnUnknown      = "Unknown field: type {} reason INVALID_ARGUMENT:{}: Cannot find field."
	constraint       = "Proto constraint validation failed ({}): {}"
	negativeDuration = "Expected positive duration: {}"
	noFilter         = "Didn't find a registered implementation for name: '{}'"
	noFilterOfType   = "Didn't find a registered implementation for name: '{}' with type URL: '{}'"
	noClusterType    = "Didn't find a registered cluster factory implementation for name: '{}'"

	cannotBind       = "cannot bind '{}': {}"
	addFailed        = "failed to add listener on worker: {}"
	listenFailed     = "listener '{}' failed to listen on address '{}' on worker"
	malformedIP      = "malformed IP address: {}"
	noIPv6           = "IPv6 addresses are not supported on this machine: {}"
	pathTooLong      = `Path "{}" exceeds maximum UNIX domain socket path size of {}.`
	abstractMode     = "Cannot set mode for Abstract AF_UNIX sockets"
	modeFailed       = "Failed to create socket with mode {}: {}"
	embeddedNUL      = "UNIX domain socket pathname contains embedded null characters"
	prebindOption    = "ListenSocket: Setting socket options failed"
	boundOption      = "{}: Setting socket options failed"
	listeningOption  = "cannot set post-listen socket option on socket: {}"
	duplicateAddress = "error adding listener: '{}' has duplicate address '{}' as existing listener"
	noChains         = "error adding listener '{}': no filter chains specified"
	duplicateName    = "duplicate/locked listener '{}'. no add/update"

	initFailed   = "error initializing configuration '{}': {}"
	validateOK   = "configuration '{}' OK"
	eatsSIGHUP   = "caught and eating SIGHUP. See documentation for how to hot restart."
	reopens      = "caught SIGUSR1. Reopening access logs."
	caughtTerm   = "caught ENVOY_SIGTERM"
	caughtInt    = "caught SIGINT"
	shuttingDown = "shutting down server instance"
	loopExited   = "main dispatch loop exited"

	epoch          = "initializing epoch {} (base id={}, hot restart version={})"
	extensions     = "statically linked extensions:"
	adminAddress   = "admin address: {}"
	noAdmin        = "No admin address given, so no admin HTTP server started."
	runtimeIs      = "runtime: {}"
	loadingTracing = "loading tracing configuration"
	loadingSecrets = "loading {} static secret(s)"
	loadingCluster = "loading {} cluster(s)"
	loadingListen  = "loading {} listener(s)"
	loadingStats   = "loading stats configuration"
	noLimit        = "there is no configured limit to the number of allowed active connections. Set a limit via " +
		"the runtime key overload.global_downstream_max_connections"
	clustersReady   = "all clusters initialized. initializing init manager"
	startingWorkers = "all dependencies initialized. starting workers"
	startingLoop    = "starting main dispatch loop"
)

// messages is envoy-wording's list, as far as the chapters that are built can meet it.
var messages = []message{
	{sentence: noConfig}, {sentence: unknownMode}, {sentence: badLevel}, {sentence: badComponent},
	{sentence: badComponentList}, {sentence: epochAndDynamic}, {sentence: parseError}, {sentence: unreadable},
	{sentence: invalidPath}, {sentence: wrongTypeAtRoot}, {sentence: yamlSyntax}, {sentence: notAMap}, {sentence: wrongType},
	{sentence: unknownField}, {sentence: warnUnknown}, {sentence: constraint}, {sentence: noFilter},
	{sentence: noFilterOfType}, {sentence: noClusterType}, {sentence: cannotBind}, {sentence: addFailed},
	{sentence: listenFailed}, {sentence: malformedIP}, {sentence: noIPv6}, {sentence: pathTooLong},
	{sentence: abstractMode}, {sentence: modeFailed}, {sentence: embeddedNUL}, {sentence: prebindOption},
	{sentence: boundOption}, {sentence: listeningOption}, {sentence: duplicateAddress}, {sentence: noChains},
	{sentence: duplicateName}, {sentence: initFailed}, {sentence: validateOK}, {sentence: eatsSIGHUP},
	{sentence: reopens}, {sentence: caughtTerm}, {sentence: caughtInt}, {sentence: shuttingDown},
	{sentence: loopExited}, {sentence: epoch}, {sentence: extensions}, {sentence: adminAddress},
	{sentence: noAdmin}, {sentence: runtimeIs}, {sentence: loadingTracing}, {sentence: loadingSecrets},
	{sentence: loadingCluster}, {sentence: loadingListen}, {sentence: loadingStats}, {sentence: noLimit},
	{sentence: clustersReady}, {sentence: startingWorkers}, {sentence: startingLoop}, {sentence: noAccessLogFile},
	{sentence: badFormat}, {sentence: noSuchOperator}, {sentence: badJSONFormat}, {sentence: terminalNotLast},
	{sentence: lastNotTerminal}, {sentence: sameRules}, {sentence: overlapping}, {sentence: partialWildcard},
	{sentence: needsInspector}, {sentence: duplicateCluster}, {sentence: wrongBalancer}, {sentence: noBalancer},
	{sentence: staticHostName}, {sentence: socketsOnly}, {sentence: oneEndpoint}, {sentence: noMatchingChain},
	{sentence: noNetworkFilters}, {sentence: filtersTimeOut}, {sentence: clusterNotFound}, {sentence: noHealthyHost},

	{"Address must be set: {}", "the rule that an address is required speaks first, as in Envoy"},
	{"invalid ipv4 address '{}'", "the configuration's addresses are told malformed before a family is known"},
	{"invalid ipv6 address '{}'", "the configuration's addresses are told malformed before a family is known"},
	{"Field '{}' is missing in: {}", "a cluster's connect_timeout may be left out, as in today's Envoy; of " +
		"the other fields meant routes have them: chapter 07"},
	{"socket type {} not supported for pipes", "a pipe of the configuration has no protocol to be UDP by"},
	{"Listening on UDP when concurrency is > 1 without the SO_REUSEPORT socket option results in unstable " +
		"packet proxying.", "UDP listeners are refused by name"},
	{"error updating listener: '{}' has a different address '{}' from existing listener address '{}'",
		"static listeners are never updated, and nothing else brings listeners yet"},
	{"LDS: duplicate listener {} found", "no dynamic resources"},
	{"HTTP header map info:", "header maps are chapter 07's"},
	{"route: unknown cluster '{}'", "routes are chapter 07's"},
	{"route: unknown weighted cluster '{}'", "routes are chapter 07's"},
	{"Only unique values for domains are permitted. Duplicate entry of domain {} in route {}", "routes are chapter 07's"},
	{"Only a single wildcard domain is permitted in route {}", "routes are chapter 07's"},
	{"The table size of maglev must be prime number", "maglev is refused by name"},
	{"ring hash: minimum_ring_size ({}) > maximum_ring_size ({})", "ring hash is refused by name"},
	{"An admin access log path is required for a listening server.", "accepted without, as today's Envoy does"},
	{"unable to bind domain socket with base_id={}, id={}, errno={} (see --base-id option)", "no hot restart"},
	{"unable to select a dynamic base id", "no hot restart"},
	{"previous envoy process is still initializing", "no hot restart"},
}
