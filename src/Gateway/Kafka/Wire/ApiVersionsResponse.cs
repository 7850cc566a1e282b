using Granary.Abstractions.Records;

namespace Granary.Gateway.Kafka.Wire;

internal sealed class ApiVersionsResponse
{
    public const short ApiKey = 18;
    public const short LowestVersion = 0;
    public const short HighestVersion = 4;

    public short ErrorCode { get; set; }

    public List<ApiVersion> ApiKeys { get; set; } = [];

    public int ThrottleTimeMs { get; set; }

    public List<SupportedFeatureKey> SupportedFeatures { get; set; } = [];

    public long FinalizedFeaturesEpoch { get; set; } = -1;

    public List<FinalizedFeatureKey> FinalizedFeatures { get; set; } = [];

    public bool ZkMigrationReady { get; set; }

    public static bool IsFlexible(short version) => version >= 3;

    public static ApiVersionsResponse Read(ref WireReader reader, short version)
    {
        var isFlexible = version >= 3;
        var message = new ApiVersionsResponse();
        message.ErrorCode = reader.ReadInt16();
        var apikeys = reader.ReadCount(isFlexible);
        for (var i = 0; i < apikeys; i++)
            message.ApiKeys.Add(ApiVersion.Read(ref reader, version));
        if (version >= 1)
        {
            message.ThrottleTimeMs = reader.ReadInt32();
        }

        for (var tags = reader.ReadTagCount(isFlexible); tags > 0; tags--)
        {
            switch (reader.ReadTag(out var field))
            {
                case 0:
                {
                    var supportedfeatures = field.ReadCount(isFlexible);
                    for (var i = 0; i < supportedfeatures; i++)
                        message.SupportedFeatures.Add(SupportedFeatureKey.Read(ref field, version));
                    break;
                }

                case 1:
                {
                    message.FinalizedFeaturesEpoch = field.ReadInt64();
                    break;
                }

                case 2:
                {
                    var finalizedfeatures = field.ReadCount(isFlexible);
                    for (var i = 0; i < finalizedfeatures; i++)
                        message.FinalizedFeatures.Add(FinalizedFeatureKey.Read(ref field, version));
                    break;
                }

                case 3:
                {
                    message.ZkMigrationReady = field.ReadBoolean();
                    break;
                }

            }
        }

        return message;
    }

    public void Write(WireWriter writer, short version)
    {
        var isFlexible = version >= 3;
        writer.WriteInt16(ErrorCode);
        writer.WriteCount(ApiKeys.Count, isFlexible);
        foreach (var item in ApiKeys)
            item.Write(writer, version);
        if (version >= 1)
        {
            writer.WriteInt32(ThrottleTimeMs);
        }

        if (!isFlexible)
            return;
        uint tags = 0;
        if (version >= 3 && SupportedFeatures.Count > 0)
            tags++;
        if (version >= 3 && FinalizedFeaturesEpoch != -1)
            tags++;
        if (version >= 3 && FinalizedFeatures.Count > 0)
            tags++;
        if (version >= 3 && ZkMigrationReady)
            tags++;
        writer.WriteUnsignedVarint(tags);
        if (version >= 3 && SupportedFeatures.Count > 0)
        {
            using var field = new WireWriter();
            field.WriteCount(SupportedFeatures.Count, isFlexible);
            foreach (var item in SupportedFeatures)
                item.Write(field, version);
            writer.WriteTag(0, field);
        }

        if (version >= 3 && FinalizedFeaturesEpoch != -1)
        {
            using var field = new WireWriter();
            field.WriteInt64(FinalizedFeaturesEpoch);
            writer.WriteTag(1, field);
        }

        if (version >= 3 && FinalizedFeatures.Count > 0)
        {
            using var field = new WireWriter();
            field.WriteCount(FinalizedFeatures.Count, isFlexible);
            foreach (var item in FinalizedFeatures)
                item.Write(field, version);
            writer.WriteTag(2, field);
        }

        if (version >= 3 && ZkMigrationReady)
        {
            using var field = new WireWriter();
            field.WriteBoolean(ZkMigrationReady);
            writer.WriteTag(3, field);
        }

    }

    internal sealed class ApiVersion
    {
        public short ApiKey { get; set; }

        public short MinVersion { get; set; }

        public short MaxVersion { get; set; }

        public bool IsDefault => !(ApiKey != 0 || MinVersion != 0 || MaxVersion != 0);

        public static ApiVersion Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 3;
            var message = new ApiVersion();
            message.ApiKey = reader.ReadInt16();
            message.MinVersion = reader.ReadInt16();
            message.MaxVersion = reader.ReadInt16();
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 3;
            writer.WriteInt16(ApiKey);
            writer.WriteInt16(MinVersion);
            writer.WriteInt16(MaxVersion);
            writer.WriteNoTags(isFlexible);
        }
    }

    internal sealed class SupportedFeatureKey
    {
        public string Name { get; set; } = "";

        public short MinVersion { get; set; }

        public short MaxVersion { get; set; }

        public bool IsDefault => !(Name.Length > 0 || MinVersion != 0 || MaxVersion != 0);

        public static SupportedFeatureKey Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 3;
            var message = new SupportedFeatureKey();
            message.Name = reader.ReadString(isFlexible);
            message.MinVersion = reader.ReadInt16();
            message.MaxVersion = reader.ReadInt16();
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 3;
            writer.WriteString(Name, isFlexible);
            writer.WriteInt16(MinVersion);
            writer.WriteInt16(MaxVersion);
            writer.WriteNoTags(isFlexible);
        }
    }

    internal sealed class FinalizedFeatureKey
    {
        public string Name { get; set; } = "";

        public short MaxVersionLevel { get; set; }

        public short MinVersionLevel { get; set; }

        public bool IsDefault => !(Name.Length > 0 || MaxVersionLevel != 0 || MinVersionLevel != 0);

        public static FinalizedFeatureKey Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 3;
            var message = new FinalizedFeatureKey();
            message.Name = reader.ReadString(isFlexible);
            message.MaxVersionLevel = reader.ReadInt16();
            message.MinVersionLevel = reader.ReadInt16();
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 3;
            writer.WriteString(Name, isFlexible);
            writer.WriteInt16(MaxVersionLevel);
            writer.WriteInt16(MinVersionLevel);
            writer.WriteNoTags(isFlexible);
        }
    }
}
