using Npgsql;
using NpgsqlTypes;

namespace Granary.Grains.Storage;

/// <summary>
/// The arrays that a flush sends: one list per column, used again by every flush. A command holds parameters that point at the lists, so
/// that filling these is all that a flush does.
/// </summary>
internal sealed class FlushParameters
{
    private readonly List<int> _id = [];
    private readonly List<int> _epoch = [];
    private readonly List<long> _expectedOffset = [];
    private readonly List<int> _expectedSlab = [];
    private readonly List<long> _endOffset = [];
    private readonly List<int> _slab = [];
    private readonly List<long> _segmentBase = [];
    private readonly List<long> _segmentBytes = [];
    private readonly List<long> _segmentMaxTimestamp = [];
    private readonly List<DateTime> _segmentCreatedAt = [];

    private readonly List<long> _rowBase = [];
    private readonly List<long> _rowEnd = [];
    private readonly List<long> _rowMaxTimestamp = [];
    private readonly List<int> _rowPartition = [];
    private readonly List<int> _rowChunk = [];
    private readonly List<int> _rowBatchBytes = [];
    private readonly List<ReadOnlyMemory<byte>> _rowData = [];

    public void BindClaims(NpgsqlCommand command)
    {
        Bind(command, NpgsqlDbType.Integer, _id);
        Bind(command, NpgsqlDbType.Integer, _epoch);
        Bind(command, NpgsqlDbType.Bigint, _expectedOffset);
        Bind(command, NpgsqlDbType.Integer, _expectedSlab);
        Bind(command, NpgsqlDbType.Bigint, _endOffset);
        Bind(command, NpgsqlDbType.Integer, _slab);
        Bind(command, NpgsqlDbType.Bigint, _segmentBase);
        Bind(command, NpgsqlDbType.Bigint, _segmentBytes);
        Bind(command, NpgsqlDbType.Bigint, _segmentMaxTimestamp);
        Bind(command, NpgsqlDbType.TimestampTz, _segmentCreatedAt);
    }

    public void BindRows(NpgsqlCommand command)
    {
        Bind(command, NpgsqlDbType.Bigint, _rowBase);
        Bind(command, NpgsqlDbType.Bigint, _rowEnd);
        Bind(command, NpgsqlDbType.Bigint, _rowMaxTimestamp);
        Bind(command, NpgsqlDbType.Integer, _rowPartition);
        Bind(command, NpgsqlDbType.Integer, _rowChunk);
        Bind(command, NpgsqlDbType.Integer, _rowBatchBytes);
        Bind(command, NpgsqlDbType.Bytea, _rowData);
    }

    public void FillClaims(FlushPlan plan)
    {
        Clear();
        foreach (var partition in plan.Partitions)
        {
            var after = partition.After;
            _id.Add(partition.Owner.Id);
            _epoch.Add(partition.Owner.LeaderEpoch);
            _expectedOffset.Add(partition.ExpectedOffset);
            _expectedSlab.Add(partition.Before.SlabId);
            _endOffset.Add(partition.EndOffset);
            _slab.Add(after.SlabId);
            _segmentBase.Add(after.BaseOffset);
            _segmentBytes.Add(after.SizeBytes);
            _segmentMaxTimestamp.Add(after.MaxTimestamp);
            _segmentCreatedAt.Add(after.CreatedAt);
        }
    }

    public void FillRows(FlushPlan plan)
    {
        foreach (var partition in plan.Partitions)
        {
            for (var append = partition.First; append is not null; append = append.Next)
                AddRows(partition.Owner.Id, append.Batch);
        }
    }

    /// <summary>Lets go of the batches.</summary>
    public void Clear()
    {
        foreach (var ints in (ReadOnlySpan<List<int>>)[_id, _epoch, _expectedSlab, _slab, _rowPartition, _rowChunk, _rowBatchBytes])
            ints.Clear();
        foreach (var longs in (ReadOnlySpan<List<long>>)
            [_expectedOffset, _endOffset, _segmentBase, _segmentBytes, _segmentMaxTimestamp, _rowBase, _rowEnd, _rowMaxTimestamp])
            longs.Clear();
        _segmentCreatedAt.Clear();
        _rowData.Clear();
    }

    private void AddRows(int partitionId, in StagedBatch batch)
    {
        var chunks = BatchChunks.Count(batch.Bytes.Length);
        for (var chunk = 0; chunk < chunks; chunk++)
        {
            _rowBase.Add(batch.BaseOffset);
            _rowEnd.Add(batch.EndOffset);
            _rowMaxTimestamp.Add(batch.MaxTimestamp);
            _rowPartition.Add(partitionId);
            _rowChunk.Add(chunk);
            _rowBatchBytes.Add(batch.Bytes.Length);
            _rowData.Add(BatchChunks.Slice(batch.Bytes, chunk));
        }
    }

    private static void Bind<T>(NpgsqlCommand command, NpgsqlDbType element, List<T> values) =>
        command.Parameters.Add(new NpgsqlParameter<List<T>> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | element });
}
