namespace Granary.Grains.Storage;

/// <summary>How the PostgreSQL store writes, reads and cleans up. Checked at start by <see cref="Validate"/>.</summary>
public sealed class StorageOptions
{
    /// <summary>
    /// Connections that append; a partition belongs to one of them. One: commits wait for one another. Many: smaller group commits,
    /// more fsyncs and more PostgreSQL processes that compete for the same cores.
    /// </summary>
    public int Lanes { get; set; } = 2;

    /// <summary>
    /// Payload of one group commit at most (a single larger batch still goes whole). Too small: the fsync is paid too often. Too large:
    /// whoever comes next waits longer.
    /// </summary>
    public int MaxFlushBytes { get; set; } = 4 << 20;

    /// <summary>Payload up to which a flush goes as one statement in one round trip; above it COPY is quicker. Zero: always COPY.</summary>
    public int OneTripBytes { get; set; } = 128 << 10;

    /// <summary>Payload that may wait in one lane; above it an append is answered <see cref="AppendOutcome.Overloaded"/>.</summary>
    public long MaxQueuedBytesPerLane { get; set; } = 64L << 20;

    /// <summary>Batches that may wait in one lane, whatever their size; above it an append is answered <see cref="AppendOutcome.Overloaded"/>.</summary>
    public int MaxQueuedBatchesPerLane { get; set; } = 65_536;

    /// <summary>After this a flush or a read is given up. Too small: a checkpoint on a slow disk fails appends. Too large: a hang lasts.</summary>
    public TimeSpan StatementTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>After this a connection attempt is given up.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Pause between two attempts of a lane to reconnect; grows from a tenth of it up to it.</summary>
    public TimeSpan ReconnectDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Connections that read history. More than these wait, so that history never takes PostgreSQL away from appends.</summary>
    public int ReadConnections { get; set; } = 4;

    /// <summary>
    /// How long a read waits for one of these connections before it is answered NOT_LEADER_OR_FOLLOWER: to be asked again. Too small: readers of history
    /// ask for metadata instead of waiting a little. Too large: together with <see cref="StatementTimeout"/> it passes the clients' request timeouts (30 s).
    /// </summary>
    public TimeSpan ReadPatience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Connections that open partitions, move log starts, save producers and delete.</summary>
    public int WorkConnections { get; set; } = 2;

    /// <summary>Connections that open, list and delete groups. Positions are written by one of their own.</summary>
    public int GroupConnections { get; set; } = 2;

    /// <summary>Connections that keep idempotency keys.</summary>
    public int IdempotencyConnections { get; set; } = 2;

    /// <summary>Positions of groups in one group commit at most (a single larger commit still goes whole). Too small: the fsync is paid too often.</summary>
    public int MaxOffsetsPerFlush { get; set; } = 5_000;

    /// <summary>Positions of groups that may wait for their commit; above it a commit is answered COORDINATOR_LOAD_IN_PROGRESS, which clients repeat.</summary>
    public int MaxQueuedOffsets { get; set; } = 200_000;

    /// <summary>Data that one query for history asks for, and the size of a block that is read ahead.</summary>
    public int ReadBlockBytes { get; set; } = 4 << 20;

    /// <summary>Memory for blocks that were read ahead, all partitions together. Zero: nothing is read ahead.</summary>
    public long ReadAheadBytes { get; set; } = 64L << 20;

    /// <summary>Partitions opened by one statement at most.</summary>
    public int MaxOpensPerStatement { get; set; } = 500;

    /// <summary>
    /// When an opening has waited this long for an append of a former owner whose process has stopped in the middle of its transaction, that
    /// transaction is ended. Too small: a slow commit of a healthy owner is cut. Too large: a partition stays away that long.
    /// </summary>
    public TimeSpan StuckWriterAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Size at which a slab (the table that the partitions of one retention class share) is closed and the next begun.</summary>
    public long SlabBytes { get; set; } = 1L << 30;

    /// <summary>Age at which a slab is closed; classes of short retention close theirs sooner (see <see cref="SlabFamily"/>).</summary>
    public TimeSpan SlabAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How often slabs are looked after. Too large: slabs overshoot their size, and space comes back late.</summary>
    public TimeSpan KeeperInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A closed slab with less than this part of it alive has the rest copied into the current one, so that it can be dropped. Zero: never.</summary>
    public double CopyForwardLiveFraction { get; set; } = 0.3;

    /// <summary>A slab is left alone this long after it was closed: retention may empty it without a copy.</summary>
    public TimeSpan CopyForwardAfter { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Data copied forward by one run of the keeper, about.</summary>
    public long CopyForwardBytesPerRun { get; set; } = 256L << 20;

    /// <summary>How long a deleted partition's name is kept, so that a late caller cannot bring it back to life.</summary>
    public TimeSpan DeletedPartitionsKept { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long the start waits for PostgreSQL to be there.</summary>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>What is wrong with these settings, a sentence each; empty where nothing is.</summary>
    public IEnumerable<string> Validate() =>
        Checks().Where(check => !check.Holds).Select(check => $"{check.Name} is {check.Value}: {check.Wanted} is wanted.");

    private IEnumerable<(bool Holds, string Name, object Value, string Wanted)> Checks() =>
    [
        (Lanes is >= 1 and <= 64, nameof(Lanes), Lanes, "1 to 64"),
        (MaxFlushBytes is >= 4096 and <= 256 << 20, nameof(MaxFlushBytes), MaxFlushBytes, "4 KB to 256 MB"),
        (OneTripBytes >= 0 && OneTripBytes <= MaxFlushBytes, nameof(OneTripBytes), OneTripBytes, "0 to MaxFlushBytes"),
        (MaxQueuedBytesPerLane >= MaxFlushBytes, nameof(MaxQueuedBytesPerLane), MaxQueuedBytesPerLane, "at least MaxFlushBytes"),
        (MaxQueuedBatchesPerLane >= 1, nameof(MaxQueuedBatchesPerLane), MaxQueuedBatchesPerLane, "at least 1"),
        (StatementTimeout > TimeSpan.Zero, nameof(StatementTimeout), StatementTimeout, "positive"),
        (ConnectTimeout > TimeSpan.Zero, nameof(ConnectTimeout), ConnectTimeout, "positive"),
        (ReconnectDelay > TimeSpan.Zero, nameof(ReconnectDelay), ReconnectDelay, "positive"),
        (ReadConnections is >= 1 and <= 64, nameof(ReadConnections), ReadConnections, "1 to 64"),
        (ReadPatience > TimeSpan.Zero && ReadPatience < TimeSpan.FromSeconds(30), nameof(ReadPatience), ReadPatience, "positive, below 30 s"),
        (WorkConnections is >= 1 and <= 64, nameof(WorkConnections), WorkConnections, "1 to 64"),
        (GroupConnections is >= 1 and <= 64, nameof(GroupConnections), GroupConnections, "1 to 64"),
        (IdempotencyConnections is >= 1 and <= 64, nameof(IdempotencyConnections), IdempotencyConnections, "1 to 64"),
        (MaxOffsetsPerFlush is >= 1 and <= 100_000, nameof(MaxOffsetsPerFlush), MaxOffsetsPerFlush, "1 to 100,000"),
        (MaxQueuedOffsets >= MaxOffsetsPerFlush, nameof(MaxQueuedOffsets), MaxQueuedOffsets, "at least MaxOffsetsPerFlush"),
        (ReadBlockBytes is >= 65_536 and <= 64 << 20, nameof(ReadBlockBytes), ReadBlockBytes, "64 KB to 64 MB"),
        (ReadAheadBytes == 0 || ReadAheadBytes >= ReadBlockBytes, nameof(ReadAheadBytes), ReadAheadBytes, "0, or at least ReadBlockBytes"),
        (MaxOpensPerStatement is >= 1 and <= 10_000, nameof(MaxOpensPerStatement), MaxOpensPerStatement, "1 to 10,000"),
        (StuckWriterAfter > TimeSpan.Zero, nameof(StuckWriterAfter), StuckWriterAfter, "positive"),
        (SlabBytes >= 65_536, nameof(SlabBytes), SlabBytes, "at least 64 KB"),
        (SlabAge > TimeSpan.Zero, nameof(SlabAge), SlabAge, "positive"),
        (KeeperInterval > TimeSpan.Zero, nameof(KeeperInterval), KeeperInterval, "positive"),
        (CopyForwardLiveFraction is >= 0 and < 1, nameof(CopyForwardLiveFraction), CopyForwardLiveFraction, "0 to below 1"),
        (CopyForwardAfter >= TimeSpan.Zero, nameof(CopyForwardAfter), CopyForwardAfter, "not negative"),
        (CopyForwardBytesPerRun > 0, nameof(CopyForwardBytesPerRun), CopyForwardBytesPerRun, "positive"),
        (DeletedPartitionsKept > TimeSpan.Zero, nameof(DeletedPartitionsKept), DeletedPartitionsKept, "positive"),
        (StartTimeout > TimeSpan.Zero, nameof(StartTimeout), StartTimeout, "positive"),
    ];
}
