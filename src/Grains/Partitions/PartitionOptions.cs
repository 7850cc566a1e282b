namespace Granary.Grains.Partitions;

/// <summary>How partitions behave. Checked at start by <see cref="Validate"/>.</summary>
public sealed class PartitionOptions
{
    /// <summary>
    /// Memory for the newest batches of all partitions of the silo. Too small: readers at the tail go to PostgreSQL. Too large: the process
    /// takes memory from PostgreSQL. Zero: nothing is kept.
    /// </summary>
    public long TailCacheBytes { get; set; } = 256L << 20;

    /// <summary>The most that one read returns, whatever was asked for (a single larger batch still goes whole). Too large: memory per reader.</summary>
    public int MaxReadBytes { get; set; } = 32 << 20;

    /// <summary>
    /// Readers that wait on one partition. Above it a reader is answered after <see cref="CrowdedPollDelay"/>, without having been waited for.
    /// </summary>
    public int MaxWaitersPerPartition { get; set; } = 16_384;

    /// <summary>How long a reader that could not be taken (too many, or the silo stops) is held before it is answered. Too small: it asks in a hot loop.</summary>
    public TimeSpan CrowdedPollDelay { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait of a reader; longer ones end here and are begun anew. Must stay below Orleans' response timeout (30 s).</summary>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// After this a search for a record by its time is given up and answered REQUEST_TIMED_OUT. Must stay below Orleans' response timeout (30 s): after that
    /// nobody waits for it.
    /// </summary>
    public TimeSpan SearchTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>producer.id.expiration.ms: after how long without a batch a producer is forgotten. Too small: late retries become doubles.</summary>
    public TimeSpan ProducerIdle { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Producers that one partition remembers (about 250 bytes each); above it the one idle for longest is forgotten.</summary>
    public int MaxProducersPerPartition { get; set; } = 10_000;

    /// <summary>
    /// How long a producer that a partition does not know is held to its batch that was refused for a moment (of a full writer, or while the partition was opened):
    /// what it had sent behind that one is answered NOT_ENOUGH_REPLICAS, which is to be sent again. Too small: a later batch is taken in its place, and the
    /// refused one is out of order for good. Too large: a producer that has given its batch up, and goes on, waits that long. Zero: it is held to nothing.
    /// </summary>
    public TimeSpan RefusedBatchPatience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Producers' states are saved after this many batches. Too small: a write for every few appends. Too large: opening a partition after a crash reads
    /// that many batch headers.
    /// </summary>
    public int ProducerSaveBatches { get; set; } = 2_000;

    /// <summary>The least time between two such savings of one partition. Too large: as above, for partitions with many small batches.</summary>
    public TimeSpan ProducerSaveInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Leader epochs that one partition remembers (KIP-101); the oldest are forgotten above it. One is added by each opening that appends.</summary>
    public int MaxLeaderEpochs { get; set; } = 4_096;

    /// <summary>How long the first caller of a partition waits for its log to be opened before it is told to try again.</summary>
    public TimeSpan OpenPatience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long an append whose commit gave no answer waits for the log to be opened anew before it is answered REQUEST_TIMED_OUT. Below the clients'
    /// request timeouts (30 s) and Orleans' response timeout.
    /// </summary>
    public TimeSpan InDoubtPatience { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Pause after the first failed attempt to open a log; doubles up to <see cref="ReopenDelayMax"/>.</summary>
    public TimeSpan ReopenDelay { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest pause between attempts to open a log. Too large: partitions stay away after PostgreSQL has come back.</summary>
    public TimeSpan ReopenDelayMax { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>log.retention.check.interval.ms.</summary>
    public TimeSpan RetentionCheckInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Partitions that one retention check attends to; what is left over waits for the next one.</summary>
    public int MaxPartitionsPerRetentionCheck { get; set; } = 10_000;

    /// <summary>Partitions that a retention check wakes and cleans at the same time.</summary>
    public int RetentionConcurrency { get; set; } = 4;

    /// <summary>Readers (by client id) that one partition remembers for people who ask; one more takes the place of the one silent for longest.</summary>
    public int MaxRecentReaders { get; set; } = 32;

    /// <summary>How long a reader that does not come back is still shown.</summary>
    public TimeSpan RecentReaderAge { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>What is wrong with these settings, a sentence each; empty where nothing is.</summary>
    public IEnumerable<string> Validate() =>
        Checks().Where(check => !check.Holds).Select(check => $"{check.Name} is {check.Value}: {check.Wanted} is wanted.");

    private IEnumerable<(bool Holds, string Name, object Value, string Wanted)> Checks() =>
    [
        (TailCacheBytes >= 0, nameof(TailCacheBytes), TailCacheBytes, "0 or more"),
        (MaxReadBytes >= 1, nameof(MaxReadBytes), MaxReadBytes, "at least 1"),
        (MaxWaitersPerPartition >= 1, nameof(MaxWaitersPerPartition), MaxWaitersPerPartition, "at least 1"),
        (CrowdedPollDelay > TimeSpan.Zero, nameof(CrowdedPollDelay), CrowdedPollDelay, "positive"),
        (MaxWait > TimeSpan.Zero && MaxWait < TimeSpan.FromSeconds(30), nameof(MaxWait), MaxWait, "positive, below 30 s"),
        (SearchTimeout > TimeSpan.Zero && SearchTimeout < TimeSpan.FromSeconds(30), nameof(SearchTimeout), SearchTimeout, "positive, below 30 s"),
        (ProducerIdle > TimeSpan.Zero, nameof(ProducerIdle), ProducerIdle, "positive"),
        (MaxProducersPerPartition >= 1, nameof(MaxProducersPerPartition), MaxProducersPerPartition, "at least 1"),
        (RefusedBatchPatience >= TimeSpan.Zero && RefusedBatchPatience <= TimeSpan.FromMinutes(5), nameof(RefusedBatchPatience), RefusedBatchPatience, "0 to 5 min"),
        (ProducerSaveBatches >= 1, nameof(ProducerSaveBatches), ProducerSaveBatches, "at least 1"),
        (ProducerSaveInterval >= TimeSpan.Zero, nameof(ProducerSaveInterval), ProducerSaveInterval, "not negative"),
        (MaxLeaderEpochs >= 1, nameof(MaxLeaderEpochs), MaxLeaderEpochs, "at least 1"),
        (OpenPatience >= TimeSpan.Zero && OpenPatience < TimeSpan.FromSeconds(30), nameof(OpenPatience), OpenPatience, "0 to below 30 s"),
        (InDoubtPatience > TimeSpan.Zero && InDoubtPatience < TimeSpan.FromSeconds(30), nameof(InDoubtPatience), InDoubtPatience, "positive, below 30 s"),
        (ReopenDelay > TimeSpan.Zero && ReopenDelay <= ReopenDelayMax, nameof(ReopenDelay), ReopenDelay, "positive, up to ReopenDelayMax"),
        (RetentionCheckInterval > TimeSpan.Zero, nameof(RetentionCheckInterval), RetentionCheckInterval, "positive"),
        (MaxPartitionsPerRetentionCheck >= 1, nameof(MaxPartitionsPerRetentionCheck), MaxPartitionsPerRetentionCheck, "at least 1"),
        (RetentionConcurrency >= 1, nameof(RetentionConcurrency), RetentionConcurrency, "at least 1"),
        (MaxRecentReaders is >= 0 and <= 1_000, nameof(MaxRecentReaders), MaxRecentReaders, "0 to 1000"),
        (RecentReaderAge > TimeSpan.Zero, nameof(RecentReaderAge), RecentReaderAge, "positive"),
    ];
}
