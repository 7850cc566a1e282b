namespace Granary.Abstractions.Records;

/// <summary>A record batch that cannot be read: malformed, truncated, of an unknown codec, or larger than allowed once decompressed.</summary>
public sealed class InvalidRecordBatchException : Exception
{
    public InvalidRecordBatchException(string message)
        : base(message)
    {
    }

    public InvalidRecordBatchException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
