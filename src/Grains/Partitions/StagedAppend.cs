using Granary.Abstractions.Records;
using Granary.Grains.Storage;

namespace Granary.Grains.Partitions;

/// <summary>A batch that has its offsets, and whose fate the store is to tell.</summary>
internal sealed class StagedAppend(in RecordBatchHeader header, ReadOnlyMemory<byte> bytes, long logAppendTime)
{
    private readonly RecordBatchHeader _header = header;

    /// <summary>As it was stamped.</summary>
    public ref readonly RecordBatchHeader Header => ref _header;

    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    /// <summary>Milliseconds since 1970, or -1 where the topic keeps the creator's time.</summary>
    public long LogAppendTime { get; } = logAppendTime;

    /// <summary>Set before anybody else sees this.</summary>
    public Task<AppendOutcome> Outcome { get; set; } = null!;
}
