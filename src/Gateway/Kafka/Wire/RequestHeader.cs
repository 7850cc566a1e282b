namespace Granary.Gateway.Kafka.Wire;

/// <summary>What opens a request (request header version 1 or 2).</summary>
internal readonly record struct RequestHeader(short ApiKey, short ApiVersion, int CorrelationId, string? ClientId)
{
    public static RequestHeader Read(ref WireReader reader)
    {
        var header = new RequestHeader(reader.ReadInt16(), reader.ReadInt16(), reader.ReadInt32(), reader.ReadNullableString(isFlexible: false));
        var isFlexible = header.ApiKey switch
        {
            ProduceRequest.ApiKey => ProduceRequest.IsFlexible(header.ApiVersion),
            FetchRequest.ApiKey => FetchRequest.IsFlexible(header.ApiVersion),
            ApiVersionsRequest.ApiKey => ApiVersionsRequest.IsFlexible(header.ApiVersion),
            _ => false,
        };
        reader.SkipTags(isFlexible);
        return header;
    }

    public void Write(WireWriter writer, bool isFlexible)
    {
        writer.WriteInt16(ApiKey);
        writer.WriteInt16(ApiVersion);
        writer.WriteInt32(CorrelationId);
        writer.WriteString(ClientId, isFlexible: false);
        writer.WriteNoTags(isFlexible);
    }
}
