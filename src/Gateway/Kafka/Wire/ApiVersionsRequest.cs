using Granary.Abstractions.Records;

namespace Granary.Gateway.Kafka.Wire;

internal sealed class ApiVersionsRequest
{
    public const short ApiKey = 18;
    public const short LowestVersion = 0;
    public const short HighestVersion = 4;

    public string ClientSoftwareName { get; set; } = "";

    public string ClientSoftwareVersion { get; set; } = "";

    public bool IsDefault => !(ClientSoftwareName.Length > 0 || ClientSoftwareVersion.Length > 0);

    public static bool IsFlexible(short version) => version >= 3;

    public static ApiVersionsRequest Read(ref WireReader reader, short version)
    {
        var isFlexible = version >= 3;
        var message = new ApiVersionsRequest();
        if (version >= 3)
        {
            message.ClientSoftwareName = reader.ReadString(isFlexible);
        }

        if (version >= 3)
        {
            message.ClientSoftwareVersion = reader.ReadString(isFlexible);
        }

        reader.SkipTags(isFlexible);
        return message;
    }

    public void Write(WireWriter writer, short version)
    {
        var isFlexible = version >= 3;
        if (version >= 3)
        {
            writer.WriteString(ClientSoftwareName, isFlexible);
        }

        if (version >= 3)
        {
            writer.WriteString(ClientSoftwareVersion, isFlexible);
        }

        writer.WriteNoTags(isFlexible);
    }
}
