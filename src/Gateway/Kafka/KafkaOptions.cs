namespace Granary.Gateway.Kafka;

/// <summary>
/// The Kafka listener's settings and limits, with Kafka's names for them where it has one. Checked at start by <see cref="Validate"/>.
/// </summary>
public sealed class KafkaOptions
{
    private const string SingleName = "kafka";

    /// <summary>The IP address to listen on (Kafka's listeners). One other than loopback opens the log to whoever can reach it: there is no authentication yet.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>The port to listen on; 0 takes a free one.</summary>
    public int Port { get; set; } = 9092;

    /// <summary>The host that clients are told to connect to (advertised.listeners). A name that they cannot resolve leaves them with a bootstrap connection and nothing else.</summary>
    public string AdvertisedHost { get; set; } = "127.0.0.1";

    /// <summary>The port that clients are told to connect to; 0: the one that is listened on.</summary>
    public int AdvertisedPort { get; set; }

    /// <summary>Several listeners instead of the one that <see cref="Address"/> and the three after it describe.</summary>
    public List<ListenerOptions> Listeners { get; set; } = [];

    /// <summary>This process's number among the brokers (node.id), 0 or more.</summary>
    public int NodeId { get; set; } = 1;

    /// <summary>
    /// True: this is a gateway at the edge, for clients that cannot reach the silos. They are told of this process alone, as the leader of
    /// everything, and each request goes on to its partition's silo by grain call.
    /// </summary>
    public bool IsEdge { get; set; }

    /// <summary>The cluster's name as clients are told (cluster.id). Clients that see it change refuse to go on.</summary>
    public string ClusterId { get; set; } = "granary";

    /// <summary>
    /// socket.request.max.bytes: the largest request frame, in bytes, without its length prefix. Too small refuses producers' large requests
    /// by closing their connections; too large lets one client claim that much memory.
    /// </summary>
    public int MaxFrameBytes { get; set; } = 100 * 1024 * 1024;

    /// <summary>max.connections: connections open at a time. The next one is closed at once, logged and counted.</summary>
    public int MaxConnections { get; set; } = 20_000;

    /// <summary>Requests of one connection that are answered at a time. At the bound its socket is no longer read. Too small hinders clients that pipeline.</summary>
    public int MaxInFlightRequests { get; set; } = 100;

    /// <summary>
    /// Bytes of requests being answered and of replies not yet sent, of one connection. At the bound its socket is no longer read; a
    /// single request or reply may be larger. Too small hinders pipelining; too large lets slow readers keep memory.
    /// </summary>
    public long MaxInFlightBytes { get; set; } = 64L * 1024 * 1024;

    /// <summary>
    /// queued.max.request.bytes: bytes of requests being received or answered, of all connections. At the bound sockets are no longer
    /// read until others are answered. One half is for requests of up to 1 MB, which do not wait for larger ones; the other, for
    /// those, is raised to <see cref="MaxFrameBytes"/> where it is smaller.
    /// </summary>
    public long MaxRequestBytes { get; set; } = 512L * 1024 * 1024;

    /// <summary>
    /// Bytes of records in replies not yet sent, of all connections. Above it fetches are answered empty until clients have taken what
    /// is on its way to them.
    /// </summary>
    public long MaxReplyBytes { get; set; } = 1024L * 1024 * 1024;

    /// <summary>connections.max.idle.ms: a connection that sends nothing and takes nothing for so long is closed.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>A connection that has sent a part of a frame and then nothing more for so long is closed: it holds the frame's memory.</summary>
    public TimeSpan FrameTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A frame that is not whole after <see cref="FrameTimeout"/> and a second more for so many bytes of it closes its connection. Too large
    /// cuts off clients on slow lines, which would however not wait for the answer longer than their own request.timeout.ms (30 s); too
    /// small lets slow ones hold memory that others wait for.
    /// </summary>
    public int MinFrameBytesPerSecond { get; set; } = 1024 * 1024;

    /// <summary>How long a stop waits for requests being answered before it closes their connections.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>fetch.max.bytes: the largest answer to one Fetch, in bytes of records; a first batch that is larger is sent all the same.</summary>
    public int MaxFetchBytes { get; set; } = 55 * 1024 * 1024;

    /// <summary>A fetch that asks to wait longer (fetch.max.wait.ms) is answered by then. A connection that its client has left is seen when its fetch is answered.</summary>
    public TimeSpan MaxFetchWait { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long an OffsetFetch waits for a coordinator that is between silos before it is told to come again. Too short, and librdkafka forgets partitions
    /// where a rebalance comes in between; what its connection asks for later waits as long, so it belongs well below the members' session timeouts.
    /// </summary>
    public TimeSpan MaxCoordinatorWait { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>max.incremental.fetch.session.cache.slots: fetch sessions kept at a time. At the bound one is evicted, or the client fetches without a session.</summary>
    public int FetchSessionSlots { get; set; } = 1_000;

    /// <summary>Partitions in all fetch sessions together (about 200 bytes each). Beyond it clients fetch without a session, naming all partitions each time.</summary>
    public int MaxFetchSessionPartitions { get; set; } = 500_000;

    /// <summary>How long a fetch session is safe from eviction after its last use, and after its creation.</summary>
    public TimeSpan FetchSessionEviction { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>auto.create.topics.enable: asking for the metadata of a topic that does not exist, or producing to it over HTTP, creates it.</summary>
    public bool AutoCreateTopics { get; set; } = true;

    /// <summary>Topics that one Metadata request may create. The rest are answered as unknown, and asked for again by the client.</summary>
    public int MaxAutoCreatedTopicsPerRequest { get; set; } = 1_000;

    /// <summary>Grain calls that one request of the kind that names many partitions has under way at a time. Produce and Fetch are not bound by it.</summary>
    public int MaxPartitionCallsPerRequest { get; set; } = 256;

    /// <summary>max.request.partition.size.limit: partitions in one answer of DescribeTopicPartitions.</summary>
    public int MaxPartitionsPerPage { get; set; } = 2_000;

    /// <summary>Partitions whose leader epoch a gateway at the edge remembers for Metadata; at the bound all are forgotten and learned anew.</summary>
    public int MaxLearnedEpochs { get; set; } = 200_000;

    /// <summary>All listeners: the list, or the single one.</summary>
    internal IReadOnlyList<ListenerOptions> AllListeners => Listeners.Count > 0 ? Listeners : [Single];

    /// <summary>How long a frame may take from its length to its end.</summary>
    internal TimeSpan TimeFor(int frameBytes) => FrameTimeout + TimeSpan.FromSeconds((double)frameBytes / MinFrameBytesPerSecond);

    private ListenerOptions Single => new() { Name = SingleName, Address = Address, Port = Port, AdvertisedHost = AdvertisedHost, AdvertisedPort = AdvertisedPort };

    /// <summary>What is wrong with these settings, a sentence each; empty where nothing is.</summary>
    public IEnumerable<string> Validate()
    {
        for (var index = 0; index < Listeners.Count; index++)
        {
            foreach (var wrong in Listeners[index].Validate($"{nameof(Listeners)}:{index}:"))
                yield return wrong;
        }

        if (Listeners.Select(listener => listener.Name).Distinct().Count() < Listeners.Count)
            yield return $"{nameof(Listeners)} has two with the same name.";
        foreach (var wrong in Single.Validate(""))
            yield return wrong;
        if (string.IsNullOrWhiteSpace(ClusterId))
            yield return $"{nameof(ClusterId)} is empty.";
        if (NodeId < 0)
            yield return $"{nameof(NodeId)} is {NodeId}: 0 or more is wanted.";
        foreach (var (name, value) in Positives())
        {
            if (value <= 0)
                yield return $"{name} is {value}: more than 0 is wanted.";
        }

        foreach (var (name, value) in Durations())
        {
            if (value <= TimeSpan.Zero)
                yield return $"{name} is {value}: more than 0 is wanted.";
        }
    }

    private IEnumerable<(string Name, long Value)> Positives() =>
    [
        (nameof(MaxFrameBytes), MaxFrameBytes),
        (nameof(MaxConnections), MaxConnections),
        (nameof(MaxInFlightRequests), MaxInFlightRequests),
        (nameof(MaxInFlightBytes), MaxInFlightBytes),
        (nameof(MaxRequestBytes), MaxRequestBytes),
        (nameof(MaxReplyBytes), MaxReplyBytes),
        (nameof(MinFrameBytesPerSecond), MinFrameBytesPerSecond),
        (nameof(MaxFetchBytes), MaxFetchBytes),
        (nameof(FetchSessionSlots), FetchSessionSlots),
        (nameof(MaxFetchSessionPartitions), MaxFetchSessionPartitions),
        (nameof(MaxAutoCreatedTopicsPerRequest), MaxAutoCreatedTopicsPerRequest),
        (nameof(MaxPartitionCallsPerRequest), MaxPartitionCallsPerRequest),
        (nameof(MaxPartitionsPerPage), MaxPartitionsPerPage),
        (nameof(MaxLearnedEpochs), MaxLearnedEpochs),
    ];

    private IEnumerable<(string Name, TimeSpan Value)> Durations() =>
    [
        (nameof(IdleTimeout), IdleTimeout),
        (nameof(FrameTimeout), FrameTimeout),
        (nameof(DrainTimeout), DrainTimeout),
        (nameof(MaxFetchWait), MaxFetchWait),
        (nameof(MaxCoordinatorWait), MaxCoordinatorWait),
        (nameof(FetchSessionEviction), FetchSessionEviction),
    ];
}
