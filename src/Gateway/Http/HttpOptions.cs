namespace Granary.Gateway.Http;

/// <summary>Bounds of the HTTP API (settings <c>Granary__Http__…</c>).</summary>
public sealed class HttpOptions
{
    /// <summary>Connections open at a time, live streams among them. The next one is closed at once.</summary>
    public int MaxConnections { get; set; } = 10_000;

    /// <summary>Bytes of bodies and of memory kept for fetched records that all requests under way hold together; one that would hold more is refused with 503 and Retry-After.</summary>
    public long MaxBytesInFlight { get; set; } = 256L * 1024 * 1024;

    /// <summary>The largest body of a request, in bytes. What is larger is refused with 413 before it is read.</summary>
    public int MaxBodyBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>The most records in one request to produce.</summary>
    public int MaxRecordsPerRequest { get; set; } = 10_000;

    /// <summary>The most headers of one record.</summary>
    public int MaxHeadersPerRecord { get; set; } = 1_000;

    /// <summary>The most records in the answer to one fetch.</summary>
    public int MaxRecordsPerFetch { get; set; } = 10_000;

    /// <summary>The most bytes of batches that one fetch reads (the first comes whole in any case), and of the records in its answer, which may be more than they are compressed.</summary>
    public int MaxFetchBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>The longest wait of a fetch for new records.</summary>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a request is tried for while a partition moves or PostgreSQL is away. Too short refuses what a second would have healed.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The most live streams at once; one more is refused with 503. Each costs its read-ahead.</summary>
    public int MaxStreams { get; set; } = 1_000;

    /// <summary>The most partitions of one stream: each event's id names the place in all of them. A topic with more is read a partition at a time.</summary>
    public int MaxStreamPartitions { get; set; } = 256;

    /// <summary>Bytes that one stream may have read ahead, and of the records that it may keep decompressed. Too small decompresses large batches many times.</summary>
    public int StreamPrefetchBytes { get; set; } = 1024 * 1024;

    /// <summary>How often a quiet stream says that it is alive.</summary>
    public TimeSpan StreamHeartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The longest Idempotency-Key, in characters.</summary>
    public int MaxIdempotencyKeyLength { get; set; } = 255;

    /// <summary>
    /// Names by which the server may be called (the Host of a request) beside addresses and localhost, separated by semicolons; * allows every name. A request by
    /// another name is refused with 421: so that no page can reach the server by a name of its own that leads to it.
    /// </summary>
    public string AllowedHosts { get; set; } = "";

    /// <summary>The most resources in one page of a list.</summary>
    public int MaxPageSize { get; set; } = 10_000;

    /// <summary>The most topics in one page of a list with details: each of their partitions is asked for its size.</summary>
    public int MaxDetailedTopics { get; set; } = 100;

    /// <summary>The most segments, producers and leader epochs, of each the newest, in the answer about one partition, which says how many there are.</summary>
    public int MaxPartitionDetails { get; set; } = 1_000;

    /// <summary>The most partitions that the answer about a classic group shows, of all members together; the assignment of a member that would go beyond is shown empty.</summary>
    public int MaxAssignedPartitions { get; set; } = 100_000;

    /// <summary>What is wrong with these settings, a sentence each; empty where nothing is.</summary>
    public IEnumerable<string> Validate() =>
        Checks().Where(check => !check.Holds).Select(check => $"{check.Name} is {check.Value}: {check.Wanted} is wanted.");

    private IEnumerable<(bool Holds, string Name, object Value, string Wanted)> Checks() =>
    [
        (MaxConnections is >= 1 and <= 1_000_000, nameof(MaxConnections), MaxConnections, "1 to 1000000"),
        (MaxBytesInFlight is >= 1 << 20 and <= 1L << 40, nameof(MaxBytesInFlight), MaxBytesInFlight, "1048576 to 1099511627776"),
        (MaxBodyBytes is >= 1_024 and <= 1 << 30, nameof(MaxBodyBytes), MaxBodyBytes, "1024 to 1073741824"),
        (MaxRecordsPerRequest is >= 1 and <= 1_000_000, nameof(MaxRecordsPerRequest), MaxRecordsPerRequest, "1 to 1000000"),
        (MaxHeadersPerRecord is >= 0 and <= 100_000, nameof(MaxHeadersPerRecord), MaxHeadersPerRecord, "0 to 100000"),
        (MaxRecordsPerFetch is >= 1 and <= 1_000_000, nameof(MaxRecordsPerFetch), MaxRecordsPerFetch, "1 to 1000000"),
        (MaxFetchBytes is >= 1_024 and <= 1 << 30, nameof(MaxFetchBytes), MaxFetchBytes, "1024 to 1073741824"),
        (MaxWait >= TimeSpan.Zero && MaxWait <= TimeSpan.FromMinutes(10), nameof(MaxWait), MaxWait, "0 to 10 minutes"),
        (RequestTimeout > TimeSpan.Zero && RequestTimeout <= TimeSpan.FromMinutes(10), nameof(RequestTimeout), RequestTimeout, "above 0, to 10 minutes"),
        (MaxStreams is >= 0 and <= 100_000, nameof(MaxStreams), MaxStreams, "0 to 100000"),
        (MaxStreamPartitions is >= 1 and <= 10_000, nameof(MaxStreamPartitions), MaxStreamPartitions, "1 to 10000"),
        (StreamPrefetchBytes is >= 16 * 1024 and <= 1 << 30, nameof(StreamPrefetchBytes), StreamPrefetchBytes, "16384 to 1073741824"),
        (StreamHeartbeat > TimeSpan.Zero && StreamHeartbeat <= TimeSpan.FromMinutes(10), nameof(StreamHeartbeat), StreamHeartbeat, "above 0, to 10 minutes"),
        (MaxIdempotencyKeyLength is >= 1 and <= 1_024, nameof(MaxIdempotencyKeyLength), MaxIdempotencyKeyLength, "1 to 1024"),
        (MaxDetailedTopics is >= 1 and <= 10_000, nameof(MaxDetailedTopics), MaxDetailedTopics, "1 to 10000"),
        (MaxPartitionDetails is >= 1 and <= 100_000, nameof(MaxPartitionDetails), MaxPartitionDetails, "1 to 100000"),
        (MaxAssignedPartitions is >= 1 and <= 10_000_000, nameof(MaxAssignedPartitions), MaxAssignedPartitions, "1 to 10000000"),
        (MaxPageSize is >= 1 and <= 1_000_000, nameof(MaxPageSize), MaxPageSize, "1 to 1000000"),
    ];
}
