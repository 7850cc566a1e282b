namespace Granary.Abstractions.Records;

/// <summary>Limits for reading records that somebody else wrote.</summary>
public sealed record RecordReadOptions
{
    public static RecordReadOptions Default { get; } = new();

    /// <summary>
    /// How large one batch's records may become when they are decompressed, in bytes. Too small refuses honest batches that compress
    /// well; too large lets a small hostile batch take that much memory.
    /// </summary>
    public int MaxDecompressedBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>How many headers one record may have. Too small refuses honest records; each allowed one costs some 40 bytes while it is read.</summary>
    public int MaxHeadersPerRecord { get; init; } = 10_000;

    /// <summary>Whether to check the batch's CRC-32C before reading it (Kafka's check.crcs).</summary>
    public bool CheckCrc { get; init; } = true;
}
