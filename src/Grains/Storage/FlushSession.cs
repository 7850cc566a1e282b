using Npgsql;
using NpgsqlTypes;

namespace Granary.Grains.Storage;

/// <summary>
/// A lane's connection, with its prepared statements and buffers. Not for concurrent use. After a failure it can be used again only
/// where <see cref="IsUsable"/> says so.
/// </summary>
internal sealed class FlushSession : IAsyncDisposable
{
    private const int CopyBufferBytes = 1 << 20;
    private const int MaxPreparedSlabs = 2 * SlabFamily.Count;

    private readonly NpgsqlConnection _connection;
    private readonly StorageOptions _options;
    private readonly FlushParameters _parameters = new();
    private readonly NpgsqlCommand _claim;
    private readonly Dictionary<int, NpgsqlCommand> _oneTrip = [];
    private readonly byte[] _copyBuffer = GC.AllocateUninitializedArray<byte>(CopyBufferBytes);

    private FlushSession(NpgsqlConnection connection, StorageOptions options)
    {
        _connection = connection;
        _options = options;
        _claim = new NpgsqlCommand(FlushStatements.Claim, connection) { CommandTimeout = 0 };
        _parameters.BindClaims(_claim);
    }

    /// <summary>Whether the flush has come to where it may have been committed.</summary>
    public bool CommitWasSent { get; private set; }

    public bool IsUsable => _connection.FullState == System.Data.ConnectionState.Open;

    public static async Task<FlushSession> OpenAsync(NpgsqlDataSource source, StorageOptions options, CancellationToken cancellation)
    {
        var connection = await Sessions.OpenAsync(source, Sessions.LaneName, options.ConnectTimeout, cancellation);
        var session = new FlushSession(connection, options);
        try
        {
            await session._claim.PrepareAsync(cancellation);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>Before every flush, and whatever is done to prepare it.</summary>
    public void Begin() => CommitWasSent = false;

    /// <summary>
    /// Writes the plan in one transaction, and marks the partitions that passed the fence; nothing of the others is written. Throws where
    /// PostgreSQL fails; <see cref="CommitWasSent"/> then tells how far it came.
    /// </summary>
    public async Task FlushAsync(FlushPlan plan, CancellationToken cancellation)
    {
        try
        {
            _parameters.FillClaims(plan);
            if (plan.PayloadBytes + (plan.BatchCount * CopyRows.RowOverheadBytes) <= _options.OneTripBytes && plan.Closed.Count == 0)
                await OneTripAsync(plan, cancellation);
            else
                await CopyAsync(plan, cancellation);
        }
        finally
        {
            _parameters.Clear();
        }
    }

    /// <summary>Reads the heads of partitions that did not pass: those that only had their segment closed by someone else may try again.</summary>
    public async Task<Dictionary<int, HeadRow>> LookAtHeadsAsync(List<PartitionFlush> missed, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(FlushStatements.LookAtHeads, _connection) { CommandTimeout = 0 };
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. missed.Select(partition => partition.Owner.Id)] });
        var heads = new Dictionary<int, HeadRow>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            heads[reader.GetInt32(0)] = HeadRow.Read(reader, 1);
        return heads;
    }

    private async Task OneTripAsync(FlushPlan plan, CancellationToken cancellation)
    {
        _parameters.FillRows(plan);
        var command = await OneTripCommandAsync(plan.SlabId, cancellation);
        CommitWasSent = true;
        await ClaimAsync(command, plan, cancellation);
    }

    private async Task CopyAsync(FlushPlan plan, CancellationToken cancellation)
    {
        await using var transaction = await _connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellation);
        if (await ClaimAsync(_claim, plan, cancellation) == 0)
            return;
        if (plan.Closed.Count > 0)
            await CloseSegmentsAsync(plan, cancellation);
        await CopyRowsAsync(plan, cancellation);
        CommitWasSent = true;
        await transaction.CommitAsync(cancellation);
    }

    private static async Task<int> ClaimAsync(NpgsqlCommand command, FlushPlan plan, CancellationToken cancellation)
    {
        var claimed = 0;
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            plan.Partitions[(int)reader.GetInt64(0) - 1].Claimed = true;
            claimed++;
        }

        return claimed;
    }

    private async Task CopyRowsAsync(FlushPlan plan, CancellationToken cancellation)
    {
        await using var copy = await _connection.BeginRawBinaryCopyAsync(FlushStatements.Copy(plan.SlabId), cancellation);
        var used = CopyRows.WriteHeader(_copyBuffer);
        foreach (var partition in plan.Partitions)
        {
            if (!partition.Claimed)
                continue;
            for (var append = partition.First; append is not null; append = append.Next)
            {
                var chunks = BatchChunks.Count(append.Batch.Bytes.Length);
                for (var chunk = 0; chunk < chunks; chunk++)
                {
                    if (used + CopyRows.RowOverheadBytes + BatchChunks.MaxBytes + CopyRows.TrailerBytes > CopyBufferBytes)
                    {
                        await copy.WriteAsync(_copyBuffer.AsMemory(0, used), cancellation);
                        used = 0;
                    }

                    used += CopyRows.WriteRow(_copyBuffer.AsSpan(used), partition.Owner.Id, append.Batch, chunk);
                }
            }
        }

        used += CopyRows.WriteTrailer(_copyBuffer.AsSpan(used));
        await copy.WriteAsync(_copyBuffer.AsMemory(0, used), cancellation);
    }

    private async Task CloseSegmentsAsync(FlushPlan plan, CancellationToken cancellation)
    {
        var claimed = plan.Partitions.Where(partition => partition.Claimed).Select(partition => partition.Owner.Id).ToHashSet();
        var closed = plan.Closed.FindAll(segment => claimed.Contains(segment.PartitionId));
        if (closed.Count == 0)
            return;
        await using var command = new NpgsqlCommand(FlushStatements.CloseSegments, _connection) { CommandTimeout = 0 };
        Add(command, closed.ConvertAll(segment => segment.PartitionId), NpgsqlDbType.Integer);
        Add(command, closed.ConvertAll(segment => segment.Segment.BaseOffset), NpgsqlDbType.Bigint);
        Add(command, closed.ConvertAll(segment => segment.EndOffset), NpgsqlDbType.Bigint);
        Add(command, closed.ConvertAll(segment => segment.Segment.SlabId), NpgsqlDbType.Integer);
        Add(command, closed.ConvertAll(segment => segment.Segment.SizeBytes), NpgsqlDbType.Bigint);
        Add(command, closed.ConvertAll(segment => segment.Segment.MaxTimestamp), NpgsqlDbType.Bigint);
        Add(command, closed.ConvertAll(segment => segment.Segment.CreatedAt), NpgsqlDbType.TimestampTz);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static void Add<T>(NpgsqlCommand command, List<T> values, NpgsqlDbType element) =>
        command.Parameters.Add(new NpgsqlParameter<List<T>> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | element });

    private async ValueTask<NpgsqlCommand> OneTripCommandAsync(int slabId, CancellationToken cancellation)
    {
        if (_oneTrip.TryGetValue(slabId, out var known))
            return known;
        if (_oneTrip.Count >= MaxPreparedSlabs)
        {
            var oldest = _oneTrip.Keys.Min();
            await _oneTrip[oldest].UnprepareAsync(cancellation);
            _oneTrip.Remove(oldest);
        }

        var command = new NpgsqlCommand(FlushStatements.OneTrip(slabId), _connection) { CommandTimeout = 0 };
        _parameters.BindClaims(command);
        _parameters.BindRows(command);
        await command.PrepareAsync(cancellation);
        _oneTrip.Add(slabId, command);
        return command;
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
