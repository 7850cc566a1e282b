using Granary.Abstractions.Partitions;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// Partitions' logs in PostgreSQL. Appends go through <see cref="SegmentWriter"/>, history through <see cref="ReadAhead"/> and
/// <see cref="SegmentReader"/>, each on connections of its own; <see cref="SlabKeeper"/> brings space back.
/// </summary>
internal sealed class PostgresPartitionStore : IPartitionStore, IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly StorageOptions _options;
    private readonly StorageDiagnostics _diagnostics;
    private readonly TimeProvider _time;
    private readonly SessionPool _readSessions;
    private readonly SessionPool _workSessions;
    private readonly SegmentWriter _writer;
    private readonly ReadAhead _history;
    private readonly SegmentReader _reader;
    private readonly TimestampSearch _timestamps;
    private readonly RangeMeasure _measure;
    private readonly PartitionOpener _opener;
    private readonly PartitionWork _work;

    /// <param name="standing">Has to hold when a partition is opened; null: anybody may.</param>
    public PostgresPartitionStore(NpgsqlDataSource source, StorageOptions options, TimeProvider time, ILoggerFactory loggers, SiloStanding? standing = null)
    {
        if (options.Validate().FirstOrDefault() is { } wrong)
            throw new ArgumentException(wrong, nameof(options));
        (_source, _options, _time) = (source, options, time);
        _diagnostics = new StorageDiagnostics(loggers.CreateLogger<StorageDiagnostics>());
        _readSessions = new SessionPool(source, Sessions.ReaderName, options.ReadConnections, options);
        _workSessions = new SessionPool(source, Sessions.WorkName, options.WorkConnections, options);
        var slabs = new SlabDirectory(source, options, time, _diagnostics);
        _writer = new SegmentWriter(source, slabs, options, time, _diagnostics);
        _reader = new SegmentReader(_readSessions, options);
        _history = new ReadAhead(_reader, options, _diagnostics);
        _timestamps = new TimestampSearch(_readSessions);
        _measure = new RangeMeasure(_readSessions);
        var stuck = new StuckWriters(source, options, time, _diagnostics);
        _opener = new PartitionOpener(_workSessions, new HeaderReader(_readSessions), stuck, standing, options, time);
        _work = new PartitionWork(_workSessions, time, _diagnostics);
        Keeper = new SlabKeeper(source, slabs, options, time, _diagnostics);
    }

    public SlabKeeper Keeper { get; }

    /// <summary>Payload that waits for its commit.</summary>
    public long QueuedBytes => _writer.QueuedBytes;

    public long ReadAheadBytes => _history.Bytes;

    /// <summary>Waits for PostgreSQL, creates the tables where they are missing, and begins to write.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL was not there within <see cref="StorageOptions.StartTimeout"/>.</exception>
    public async Task StartAsync(CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(_options.StartTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        while (true)
        {
            try
            {
                await LogSchema.CreateAsync(_source, either.Token);
                break;
            }
            catch (Exception failure) when (PostgresAway.Explains(failure) && !IsRefusal(failure))
            {
                _diagnostics.WaitingForPostgres(failure.Message);
                if (limit.IsCancellationRequested)
                    throw new StoreUnavailableException($"PostgreSQL was not there within {_options.StartTimeout}.", failure);
                await Task.Delay(_options.ReconnectDelay, _time, cancellation);
            }
            catch (OperationCanceledException late) when (!cancellation.IsCancellationRequested)
            {
                throw new StoreUnavailableException($"PostgreSQL was not there within {_options.StartTimeout}.", late);
            }
        }

        _writer.Start();
    }

    /// <summary>Writes what waits, and refuses what comes.</summary>
    public Task StopAsync(CancellationToken cancellation) => _writer.StopAsync(cancellation);

    /// <summary>
    /// Waits for lanes that are away, as long as it takes one to connect: under an ownership that is faster than its lane, the first append is refused, and it
    /// is opened again, and again, until the lane is there. Each time raises the leader epoch, which all readers have to look after.
    /// </summary>
    public async Task<OpenedPartition> OpenAsync(PartitionId partition, CarriedProducers? carried, CancellationToken cancellation)
    {
        await _writer.Connected.WaitAsync(_options.ReconnectDelay + _options.ConnectTimeout, _time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
        return await _opener.OpenAsync(partition, carried, cancellation);
    }

    public Task<AppendOutcome> AppendAsync(OwnedPartition partition, StagedBatch batch) => _writer.Append(Own(partition), batch);

    public Task<IReadOnlyList<StoredBatch>> ReadAsync(
        OwnedPartition partition, long fromOffset, long endOffset, int maxBytes, CancellationToken cancellation) =>
        _history.ReadAsync(Own(partition), fromOffset, endOffset, maxBytes, cancellation);

    public async Task<StoredBatch?> FindByTimestampAsync(
        OwnedPartition partition, long timestamp, long fromOffset, long endOffset, CancellationToken cancellation) => await ReadOneAsync(
        Own(partition), await _timestamps.FirstAtOrAfterAsync(Own(partition), timestamp, fromOffset, endOffset, cancellation), endOffset, cancellation);

    public async Task<StoredBatch?> FindMaxTimestampAsync(OwnedPartition partition, long endOffset, CancellationToken cancellation) =>
        await ReadOneAsync(Own(partition), await _timestamps.FirstOfMaxAsync(Own(partition), endOffset, cancellation), endOffset, cancellation);

    public Task<IReadOnlyList<StoredSegment>> ListSegmentsAsync(OwnedPartition partition, CancellationToken cancellation) =>
        _readSessions.AskAsync<IReadOnlyList<StoredSegment>>(
            async (connection, limit) =>
                (await SegmentMap.ListAsync(connection, Own(partition).Id, limit)).ConvertAll(static entry => entry.Segment),
            cancellation);

    public Task<long> MeasureAsync(OwnedPartition partition, long startOffset, long endOffset, CancellationToken cancellation) =>
        _measure.MeasureAsync(Own(partition), startOffset, endOffset, cancellation);

    public Task<AppendOutcome> ConfirmAsync(OwnedPartition partition, CancellationToken cancellation) => _work.ConfirmAsync(Own(partition), cancellation);

    public Task<AppendOutcome> AdvanceLogStartAsync(OwnedPartition partition, long logStartOffset, CancellationToken cancellation) =>
        _work.AdvanceLogStartAsync(Own(partition), logStartOffset, cancellation);

    public Task<AppendOutcome> SaveProducersAsync(
        OwnedPartition partition, long asOfOffset, ReadOnlyMemory<byte> snapshot, CancellationToken cancellation) =>
        _work.SaveProducersAsync(Own(partition), asOfOffset, snapshot, cancellation);

    public Task<IReadOnlyList<PartitionId>> ListExpiredAsync(IReadOnlyList<RetentionBound> bounds, int limit, CancellationToken cancellation) =>
        _readSessions.AskAsync((connection, timeout) => ExpiredPartitions.ListAsync(connection, bounds, limit, timeout), cancellation);

    public async Task DeleteAsync(PartitionId partition, CancellationToken cancellation) =>
        _history.Forget(await _work.DeleteAsync(partition, cancellation));

    public async ValueTask DisposeAsync()
    {
        await _readSessions.DisposeAsync();
        await _workSessions.DisposeAsync();
    }

    /// <summary>An answer that waiting does not change: wrong password, no such database, no right to create.</summary>
    private static bool IsRefusal(Exception failure) =>
        failure is PostgresException { SqlState: var state } && !state.StartsWith("57", StringComparison.Ordinal)
        && !state.StartsWith("53", StringComparison.Ordinal) && !state.StartsWith("08", StringComparison.Ordinal);

    private async Task<StoredBatch?> ReadOneAsync(OwnedLog owner, long? baseOffset, long endOffset, CancellationToken cancellation)
    {
        if (baseOffset is not { } from)
            return null;
        var batches = await _reader.ReadAsync(owner, from, endOffset, maxBytes: 1, cancellation);
        return batches.Count > 0 ? batches[0] : null;
    }

    private static OwnedLog Own(OwnedPartition partition) =>
        partition as OwnedLog ?? throw new ArgumentException("The ownership is another store's.", nameof(partition));
}
