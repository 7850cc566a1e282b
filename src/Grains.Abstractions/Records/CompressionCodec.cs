namespace Granary.Abstractions.Records;

/// <summary>How a batch's records are compressed: bits 0-2 of its attributes. 5, 6 and 7 mean nothing to Kafka 4.0.</summary>
public enum CompressionCodec : byte
{
    None = 0,
    Gzip = 1,
    Snappy = 2,
    Lz4 = 3,
    Zstd = 4,
}
