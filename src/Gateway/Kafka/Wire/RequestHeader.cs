namespace Granary.Gateway.Kafka.Wire;

/// <summary>What every request begins with.</summary>
/// <param name="ClientId">What the client calls itself; null where it does not.</param>
internal readonly record struct RequestHeader(short ApiKey, short ApiVersion, int CorrelationId, string? ClientId)
{
    /// <summary>Reads a header; it ends with tagged fields where the version of the API is flexible.</summary>
    public static RequestHeader Read(ref WireReader reader)
    {
        var apiKey = reader.ReadInt16();
        var apiVersion = reader.ReadInt16();
        var correlationId = reader.ReadInt32();

        // The client's id stays in the old form in flexible headers too (KIP-482).
        var clientId = reader.ReadNullableString(compact: false, "ClientId");
        if (ApiKeys.IsFlexible(apiKey, apiVersion))
            reader.SkipTagged();
        return new RequestHeader(apiKey, apiVersion, correlationId, clientId);
    }

    public void Write(WireWriter writer)
    {
        writer.WriteInt16(ApiKey);
        writer.WriteInt16(ApiVersion);
        writer.WriteInt32(CorrelationId);
        writer.WriteNullableString(ClientId, compact: false);
        if (ApiKeys.IsFlexible(ApiKey, ApiVersion))
            writer.WriteUnsignedVarint(0);
    }
}
